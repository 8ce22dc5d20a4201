/** The reloads of a check, in the process that is checked. */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import v8 from 'node:v8';
import { type Addon, open } from '../addon.ts';
import { describe } from '../errors.ts';
import { loadNative } from '../native.ts';
import { RELOADS_TO_TELL } from './growth.ts';
import type { CheckPlace } from './report.ts';
import type { CheckPlan, Word } from './words.ts';

/** Of a run that tells of memory. */
const SAMPLES = 50;
/** That of the shortest run that tells of memory. Closer together, they would be most of a shorter one. */
const RELOADS_BETWEEN_SAMPLES_MIN = RELOADS_TO_TELL / SAMPLES;
/** Finalizers run by turns of the event loop, and may free what other finalizers wait for. */
const COLLECTIONS = 3;
/** How long versions that are pinned at the end have to leave. */
const LEAVE_MAX_MS = 1000;

type Exercise = (exports: unknown) => unknown;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Loop {
  readonly #plan: CheckPlan;
  readonly #say: (word: Word) => void;
  #place: CheckPlace = { reload: 0, during: 'load' };

  constructor(plan: CheckPlan, say: (word: Word) => void) {
    this.#plan = plan;
    this.#say = say;
  }

  /** Tells all there is to tell, a failure too. */
  async run(): Promise<void> {
    try {
      await this.#run();
      this.#say({ kind: 'done' });
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    const code = error instanceof Error ? Reflect.get(error, 'code') : null;
    const message = describe(error);
    this.#say({ kind: 'threw', ...this.#place, message, code: typeof code === 'string' ? code : null });
  }

  async #run(): Promise<void> {
    const { file, reloads, stageDir } = this.#plan;
    this.#begin('load', 0);
    const addon = await open(file, { stageDir });
    addon.on('unloaded', ({ id }) => this.#say({ kind: 'ended', version: id, outcome: 'unloaded' }));
    addon.on('kept', ({ id }) => this.#say({ kind: 'ended', version: id, outcome: 'kept' }));
    const exercise = await this.#loadExercise();
    await this.#exercise(addon, exercise, 0);
    const sampleEach = Math.max(RELOADS_BETWEEN_SAMPLES_MIN, Math.floor(reloads / SAMPLES));
    for (let reload = 1; reload <= reloads; reload++) {
      await this.#reload(addon, reload);
      await this.#exercise(addon, exercise, reload);
      // Finalizers and the news of them come by the event loop, which promises alone never let turn.
      await turn();
      if (reload % sampleEach === 0 || reload === reloads) await this.#sample(reload);
    }
    await this.#end(addon);
  }

  #begin(during: CheckPlace['during'], reload: number): void {
    this.#place = { reload, during };
    this.#say({ kind: 'step', ...this.#place });
  }

  async #loadExercise(): Promise<Exercise | null> {
    const { exercise: file } = this.#plan;
    if (file === null) return null;
    this.#begin('exercise', 0);
    const module = (await import(pathToFileURL(file).href)) as { readonly default?: unknown };
    if (typeof module.default === 'function') return module.default as Exercise;
    throw new TypeError(
      `its default export is ${typeof module.default}, wanted a function that takes the exports`,
    );
  }

  async #exercise(addon: Addon, exercise: Exercise | null, reload: number): Promise<void> {
    if (exercise === null) return;
    this.#begin('exercise', reload);
    await exercise(addon.exports);
  }

  async #reload(addon: Addon, reload: number): Promise<void> {
    this.#begin('reload', reload);
    const beganMs = performance.now();
    const report = await addon.reload({ force: true });
    const ms = performance.now() - beganMs;
    if (report.status !== 'reloaded' || report.retired === null) return;
    const { id: version, outcome } = report.retired;
    this.#say({ kind: 'reloaded', ms, version, outcome: outcome === 'shared' ? 'kept' : outcome });
  }

  async #sample(reload: number): Promise<void> {
    await collect();
    this.#say({ kind: 'sample', reload, rssBytes: memoryInUse(), mappings: loadNative().countMappings() });
  }

  async #end(addon: Addon): Promise<void> {
    const pinned = () => addon.versions().filter(({ state }) => state === 'pinned');
    const endMs = performance.now() + LEAVE_MAX_MS;
    this.#begin('close', this.#plan.reloads);
    while (pinned().length > 0 && performance.now() < endMs) {
      await collect();
      // This wait is ours, and not to be taken for a hang.
      this.#begin('close', this.#plan.reloads);
    }
    this.#say({ kind: 'pins', pins: pinned().flatMap(({ pins }) => pins) });
    await addon.close();
    this.#begin('exit', this.#plan.reloads);
  }
}

async function collect(): Promise<void> {
  for (let left = COLLECTIONS; left > 0; left--) {
    globalThis.gc?.();
    await turn();
  }
}

/**
 * Resident memory of the process, with what JavaScript holds of V8's heap instead of all that V8 has taken for it: the heap
 * grows and shrinks by megabytes as V8 sees fit.
 */
function memoryInUse(): number {
  const { total_physical_size: taken, used_heap_size: used } = v8.getHeapStatistics();
  return residentBytes() - taken + used;
}

/** Exact, where the counters of `process.memoryUsage` lag behind by some pages for each thread (proc_pid_smaps(5)). */
function residentBytes(): number {
  try {
    const kibibytes = /^Rss: +(\d+) kB$/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))?.[1];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // A system without it, or one that lets nobody look.
  }
  return process.memoryUsage.rss();
}
