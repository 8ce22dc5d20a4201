/** Edits of a configuration at moments when nobody is ready for them. */
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Edits } from '../../../../src/cli/dev/edits.ts';
import { createScratch, type Scratch } from '../../../support/addons.ts';
import { editSeen } from '../../../support/edits.ts';

const history = (count: unknown): string => JSON.stringify({ options: { history: count } });

let scratch: Scratch;
let file: string;
/** Emits `asked` for each configuration that is to be planned by, and plans by it once `answer` was emitted. */
let planner: EventEmitter;
/** Emits what it is told of. */
let listener: EventEmitter & { wanted(count: unknown): void; warn(message: string): void };
let edits: Edits<unknown>;

beforeEach(() => {
  scratch = createScratch();
  scratch.write('package.json', '{}');
  file = scratch.write('napi-reload.config.json', history(1));
  planner = new EventEmitter();
  listener = Object.assign(new EventEmitter(), {
    wanted: (count: unknown) => void listener.emit('wanted', count),
    warn: (message: string) => void listener.emit('warned', message),
  });
  edits = new Edits(async ({ options }) => {
    const answer = once(planner, 'answer');
    planner.emit('asked', options.history);
    await answer;
    return options.history;
  });
});

afterEach(async () => {
  await edits.close();
  scratch[Symbol.dispose]();
});

test('before somebody listens are told of afterwards', async () => {
  expect((await edits.open(scratch.path)).options).toEqual({ history: 1 });
  await editSeen(file, history(2));
  await editSeen(file, history('x'));
  const told = [once(listener, 'warned'), once(listener, 'wanted'), once(planner, 'asked')];
  edits.listen(listener);
  planner.emit('answer');
  expect(await Promise.all(told)).toEqual([[expect.stringContaining('options.history')], [2], [2]]);
});

test('while one is planned by are planned by next, the last of them', async () => {
  await edits.open(scratch.path);
  const all: unknown[] = [];
  listener.on('wanted', (count) => all.push(count));
  edits.listen(listener);
  let asked = once(planner, 'asked');
  fs.writeFileSync(file, history(2));
  expect(await asked).toEqual([2]);
  await editSeen(file, history(3));
  await editSeen(file, history(4));
  asked = once(planner, 'asked');
  planner.emit('answer');
  expect(await asked).toEqual([4]);
  const wanted = once(listener, 'wanted');
  planner.emit('answer');
  await wanted;
  expect(all).toEqual([2, 4]);
});

test('that are planned by when all is closed are told of no more', async () => {
  await edits.open(scratch.path);
  const all: unknown[] = [];
  listener.on('wanted', (count) => all.push(count));
  edits.listen(listener);
  const asked = once(planner, 'asked');
  fs.writeFileSync(file, history(2));
  await asked;
  await edits.close();
  planner.emit('answer');
  await new Promise((resolve) => setImmediate(resolve));
  expect(all).toEqual([]);
});
