/**
 * The signal given to open() fires at each call that reaches outside (see `eachCall`): the handle ends, and nothing stays
 * behind.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Addon } from '../../src/addon.ts';
import { isReloadError } from '../../src/index.ts';
import { CALLS, type Call, failAt, OF_LIBRARIES } from './faulty.ts';
import { type Counter, createProject, eachCall, type Project } from './life.ts';
import { Tally } from './tally.ts';

const CALLS_MAX = 200;
const NEVER_MS = 3_600_000;
const LIVES_MAX_MS = 300_000;

let project: Project;
beforeEach(() => {
  project = createProject();
});
afterEach(() => project[Symbol.dispose]());

/** @returns what open() or reload() was refused with, null when the call was never reached */
async function abortAt(call: Call, nth: number): Promise<string | null> {
  const controller = new AbortController();
  project.has(OF_LIBRARIES.has(call));
  const faulty = failAt(call, nth, () => controller.abort('enough'));
  const options = { ...project.options(NEVER_MS), signal: controller.signal };
  let outcome: string | null = null;
  try {
    const addon = await Addon.open<Counter>(project.file, options, faulty.outside);
    // Who looks at a version has it hashed.
    addon.versions();
    project.edit(2);
    await addon
      .reload()
      .then(() => addon.rollback())
      .finally(() => addon.close());
    // A signal that fires past the swap comes too late to undo it.
    if (faulty.hasStruck()) outcome = 'reloaded';
  } catch (error) {
    if (!isReloadError(error)) throw error;
    outcome = error.code;
  }
  const left = [...faulty.held(), ...project.staged(), ...(await project.left(faulty.loaded()))];
  project.clean();
  if (left.length > 0) throw new Error(`left: ${left.join(', ')}`);
  return outcome;
}

test('an abort at any call to the outside ends the handle and leaves nothing behind', {
  timeout: LIVES_MAX_MS,
}, async () => {
  const outcomes = new Set<string>();
  const tally = new Tally('aborts');
  for (const call of CALLS) {
    const count = await eachCall(CALLS_MAX, async (nth) => {
      try {
        const outcome = await abortAt(call, nth);
        if (outcome === null) return false;
        outcomes.add(outcome);
        tally.add(`${call} number ${nth}`);
      } catch (error) {
        tally.add(`${call} number ${nth}`, error);
      }
      return true;
    });
    if (count === 0) tally.addBad(call, 'never reached');
  }
  console.log(`${tally.points} calls at which the signal fired`);
  tally.expectGood();
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
