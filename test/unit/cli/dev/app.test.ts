/** Runs of an app that cannot be started, and of one that is started anew. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import type { AppEnd } from '../../../../src/cli/dev/app.ts';
import { AppRuns } from '../../../../src/cli/dev/app-runs.ts';
import type { DevEvent } from '../../../../src/cli/dev/events.ts';
import { type Outside, realOutside } from '../../../../src/outside.ts';
import { isRunning } from './project.ts';

function createRuns(args: readonly string[], more: { cwd?: string; spawn?: Outside['spawn'] } = {}) {
  const events: DevEvent[] = [];
  const output: string[] = [];
  let resolveEnd: (end: AppEnd) => void = () => {};
  const end = new Promise<AppEnd>((resolve) => {
    resolveEnd = resolve;
  });
  let onOutput = (): void => {};
  const runs = new AppRuns({
    command: { command: process.execPath, args, env: process.env, cwd: more.cwd ?? '.', title: ['app'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    outside: Object.assign(Object.create(realOutside), { spawn: more.spawn ?? spawn }),
    tell: (event) => events.push(event),
    output(_, chunk) {
      output.push(chunk);
      onOutput();
    },
    onEnd: resolveEnd,
  });
  const until = async (wanted: string): Promise<void> => {
    while (!output.join('').includes(wanted)) {
      await new Promise<void>((resolve) => {
        onOutput = resolve;
      });
    }
  };
  return { runs, events, end, output, until };
}

const types = (events: readonly DevEvent[]): readonly string[] => events.map(({ type }) => type);

test.each([
  ['whose folder is gone', { cwd: '/no/such/folder' }],
  [
    'when the system has no room for a process',
    {
      spawn: () => {
        throw Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' });
      },
    },
  ],
])('an app %s is told of, and can be started again', async (_, more) => {
  const { runs, events, end } = createRuns(['-e', ''], more);
  await runs.start();
  expect((await end).kind).toBe('not-started');
  expect(types(events)).toEqual(['app-failed']);
  expect(runs.state).toBe('crashed');
  await runs.restart();
  await runs.close('SIGTERM');
  expect(types(events)).toEqual(['app-failed', 'app-failed']);
});

test('an app is started once, and anew when the run before has ended', async () => {
  const { runs, events, until } = createRuns(['-e', 'console.log("runs"); setInterval(() => {}, 1000)']);
  await Promise.all([runs.start(), runs.start()]);
  await until('runs');
  expect(types(events)).toEqual(['app-started']);
  await runs.restart();
  await runs.close('SIGTERM');
  await runs.start();
  expect(types(events)).toEqual(['app-started', 'app-ended', 'app-started', 'app-ended']);
  expect(events.filter((event) => event.type === 'app-ended' && !event.asked)).toEqual([]);
  expect(events.flatMap((event) => ('pid' in event ? event.pid : [])).filter(isRunning)).toEqual([]);
});

test('what an app has written last is told before its end', async () => {
  const { runs, end, output } = createRuns([
    '-e',
    'process.stdout.write("x".repeat(1e6)); process.stderr.write("last")',
  ]);
  await runs.start();
  expect(await end).toMatchObject({ kind: 'ended', exitCode: 0, signal: null, asked: false });
  const text = output.join('');
  expect([text.length, text.includes('last')]).toEqual([1e6 + 4, true]);
  await runs.close('SIGTERM');
});
