/** The signal given to open() fires at each call that reaches outside: the handle ends, and nothing stays behind. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { isReloadError } from '../../src/index.ts';
import { CALLS, type Call, failAt } from './faulty.ts';
import { type Counter, createProject, type Project } from './life.ts';

const CALLS_MAX = 200;
const NEVER_MS = 3_600_000;

let project: Project;
beforeEach(() => {
  project = createProject();
});
afterEach(() => project[Symbol.dispose]());

/** @returns what open() or reload() was refused with, null when the call was never reached */
async function abortAt(call: Call, nth: number): Promise<unknown> {
  const controller = new AbortController();
  project.has(call === 'keptLibrary');
  const faulty = failAt(call, nth, () => controller.abort('enough'));
  const options = { ...project.options(NEVER_MS), signal: controller.signal };
  let outcome: unknown = null;
  try {
    const addon = await Addon.open<Counter>(project.file, options, faulty.outside);
    project.edit(2);
    await addon
      .reload()
      .then(() => addon.rollback())
      .finally(() => addon.close());
    // A signal that fires past the swap comes too late to undo it.
    if (faulty.hasStruck()) outcome = 'reloaded';
  } catch (error) {
    outcome = isReloadError(error) ? error.code : error;
  }
  const left = { held: faulty.held(), staged: project.staged() };
  expect({ call, nth, ...left }).toEqual({ call, nth, held: [], staged: [] });
  project.clean();
  return outcome;
}

test('an abort at any call to the outside ends the handle and leaves nothing behind', async () => {
  const outcomes = new Set<unknown>();
  let total = 0;
  for (const call of CALLS) {
    for (let nth = 1; nth < CALLS_MAX; nth += 1) {
      const outcome = await abortAt(call, nth);
      if (outcome === null) break;
      outcomes.add(outcome);
      total += 1;
    }
  }
  console.log(`${total} calls at which the signal fired`);
  expect([...outcomes].sort()).toEqual(['ERR_ABORTED', 'ERR_CLOSED', 'reloaded']);
});

test('an abort before anything is loaded loads nothing', async () => {
  const controller = new AbortController();
  const { outside } = failAt('stageOpen', 1, () => controller.abort());
  let isLoaded = false;
  const dlopen = (): void => {
    isLoaded = true;
  };
  const options = { ...project.options(NEVER_MS), signal: controller.signal };
  const opening = Addon.open(project.file, options, { ...outside, dlopen });
  await expect(opening).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(isLoaded).toBe(false);
});
