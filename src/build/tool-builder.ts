/** One build with a known builder: configured when it must be, asked for what it would do, run, and cleared up after. */
import type { Diagnostic } from '../diagnostic.ts';
import { describe, type ErrorDetails, isReloadError } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { type Moment, momentNow, timeOf, wasSetBack } from '../wall-clock.ts';
import { type AttemptResult, attempt } from './attempt.ts';
import { blamedFiles } from './blame.ts';
import type { Builder, BuildOutcome, BuildPhasesMs, BuildRequest } from './builder.ts';
import type { FastLane } from './fast/lane.ts';
import { CLOCK_STEP_MS, isFile, isInside, isOwn } from './files.ts';
import { launchOf, planOf } from './plan.ts';
import { makeOld, removeAllObjects, removeStaleObjects } from './stale.ts';
import type { Backend, Launch, Tool } from './tool.ts';
import { requirePrograms } from './tools.ts';

interface Compiled extends AttemptResult {
  readonly skipped: boolean;
}

export class ToolBuilder implements Builder {
  readonly root: string;
  readonly #tool: Tool;
  readonly #outside: Outside;
  /** Null for builds as everybody else does them. */
  #lane: FastLane | null;
  /** What the last build said, when it failed: its files may be ones that no depfile names yet. */
  #blamed: readonly Diagnostic[] = [];
  /** When the last build began; null before the first. */
  #last: Moment | null = null;
  /** Whether what earlier builds made may look newer than an edit; until a build has made all of it again. */
  #mustClean = false;

  constructor(tool: Tool, lane: FastLane | null, outside: Outside) {
    this.root = tool.root;
    this.#tool = tool;
    this.#lane = lane;
    this.#outside = outside;
  }

  async inputs(): Promise<readonly string[]> {
    const blamed = await blamedFiles(this.#outside, this.root, this.#blamed);
    const { output, outputHasSources } = this.#tool;
    const own = blamed.filter((file) => outputHasSources || !isInside(output, file));
    return [...new Set([...(await this.#tool.inputs()), ...own])].sort();
  }

  async build(given: BuildRequest): Promise<BuildOutcome> {
    const { source, build, output, outputHasSources, configure } = this.#tool;
    await requirePrograms(this.#outside, await this.#tool.programs(), { addon: source, title: build.title });
    const request = this.#begin(given);
    const began = momentNow(this.#outside);
    this.#last = began;
    try {
      if (this.#mustClean && !outputHasSources) await makeOld(this.#outside, output);
      const configured = configure !== null && (await configure.isNeeded());
      const before = configured ? await this.#configure(request) : { diagnostics: [], phasesMs: {} };
      if (request.clean === true && !outputHasSources) await removeAllObjects(this.#outside, output);
      const mayEnd = !configured && request.clean !== true && request.always !== true;
      const { diagnostics, phasesMs, skipped } = await this.#compile(request, began, mayEnd);
      this.#blamed = [];
      this.#mustClean = false;
      return {
        configured,
        skipped,
        diagnostics: [...before.diagnostics, ...diagnostics],
        phasesMs: { ...before.phasesMs, ...phasesMs },
      };
    } catch (error) {
      if (isReloadError(error, 'ERR_BUILD_FAILED')) this.#blamed = error.details.diagnostics;
      throw error;
    } finally {
      await this.#clearUp(this.#tickAfter(began));
    }
  }

  /** What was made before the clock was set back would look newer than each edit from now on. */
  #begin(given: BuildRequest): BuildRequest {
    if (this.#last !== null && wasSetBack(this.#outside, this.#last)) this.#mustClean = true;
    return within(this.#outside, this.#mustClean ? { ...given, clean: true } : given);
  }

  async #configure(request: BuildRequest): Promise<Pick<BuildOutcome, 'diagnostics' | 'phasesMs'>> {
    const { configure } = this.#tool;
    if (configure === null) return { diagnostics: [], phasesMs: {} };
    request.onProgress({ step: 'configure' });
    const startMs = this.#outside.nowMs();
    const notes = await configure.notes();
    try {
      const { diagnostics } = await this.#run(configure, request, { writesAddon: false });
      const phasesMs: BuildPhasesMs = { configure: this.#outside.nowMs() - startMs };
      return { diagnostics: [...notes, ...diagnostics], phasesMs };
    } catch (error) {
      await configure.undo();
      throw error;
    }
  }

  async #compile(request: BuildRequest, began: Moment, mayEnd: boolean): Promise<Compiled> {
    const backend = await this.#tool.backend();
    const lane = this.#lane;
    if (lane === null || backend === null) return this.#compileAsOthers(backend, request, began, mayEnd);
    try {
      return await this.#compileFast(lane, backend, request, began, mayEnd);
    } catch (error) {
      const isLanes = isReloadError(error, 'ERR_BUILD_FAILED')
        ? !isMistakeIn(this.root, error.details)
        : !isReloadError(error);
      if (!isLanes) throw error;
      await lane.end(this.#tickAfter(began)).catch(() => {});
      const result = await this.#compileAsOthers(backend, request, began, false);
      this.#lane = null;
      return { ...result, diagnostics: [...result.diagnostics, lane.givenUp(describe(error))] };
    }
  }

  async #compileFast(
    lane: FastLane,
    backend: Backend,
    request: BuildRequest,
    began: Moment,
    mayEnd: boolean,
  ): Promise<Compiled> {
    await lane.begin();
    const plan = await planOf(this.#outside, backend, request);
    if (mayEnd && plan?.isEmpty && (await this.#isBuilt())) return NOTHING;
    const prepared = await lane.prepare(plan?.compilations ?? [], request);
    await this.#ticked(began);
    const how = { writesAddon: true, total: plan?.total ?? null };
    const result = await this.#run({ ...launchOf(backend), ...prepared }, request, how);
    return { ...result, skipped: false };
  }

  async #compileAsOthers(
    backend: Backend | null,
    request: BuildRequest,
    began: Moment,
    mayEnd: boolean,
  ): Promise<Compiled> {
    // ninja counts its steps itself.
    const plan = backend?.kind === 'make' ? await planOf(this.#outside, backend, request) : null;
    if (mayEnd && plan?.isEmpty && (await this.#isBuilt())) return NOTHING;
    await this.#ticked(began);
    const how = { writesAddon: true, total: plan?.total ?? null };
    return { ...(await this.#run(this.#tool.build, request, how)), skipped: false };
  }

  #run(
    launch: Launch,
    request: BuildRequest,
    how: { readonly writesAddon: boolean; readonly total?: number | null },
  ): Promise<AttemptResult> {
    // Only make can run among sources, where not every object need be one of its own.
    const all = how.writesAddon && request.clean === true && this.#tool.outputHasSources ? ['-B'] : [];
    const what = { ...launch, args: [...launch.args, ...all], ...how, addon: this.#tool.source };
    return attempt(this.#outside, what, request);
  }

  #isBuilt(): Promise<boolean> {
    return isFile(this.#outside, this.#tool.source);
  }

  /** No compiler starts before the clock of the file system has ticked: what was saved just before is read. */
  async #ticked(began: Moment): Promise<void> {
    // The clock may be set between two looks at it, too.
    const leftMs = Math.min(this.#tickAfter(began) - Date.now(), CLOCK_STEP_MS + 1);
    if (leftMs > 0) await new Promise<void>((resolve) => this.#outside.after(leftMs, resolve));
  }

  /** By the wall clock, in milliseconds; never further ahead than a tick, wherever the clock is set to. */
  #tickAfter(began: Moment): number {
    return timeOf(this.#outside, began) + CLOCK_STEP_MS + 1;
  }

  /** So that an edit during a build is in the next one, whether that is asked for here or in a terminal. */
  async #clearUp(sinceMs: number): Promise<void> {
    const { output, outputHasSources } = this.#tool;
    const objects = await this.#tool.objects();
    const apart = outputHasSources ? null : output;
    await removeStaleObjects(this.#outside, { objects, bases: [output, this.root], output: apart, sinceMs });
    await this.#tool.afterBuild(sinceMs);
    await this.#lane?.end(sinceMs).catch(() => {});
  }
}

const NOTHING: Compiled = { diagnostics: [], phasesMs: {}, skipped: true };

/** The same request, whose time runs from now on over all that is asked with it. */
function within(outside: Outside, request: BuildRequest): BuildRequest {
  const endMs = outside.nowMs() + request.timeoutMs;
  return {
    ...request,
    onProgress: (progress) => request.onProgress(progress),
    get timeoutMs() {
      return Math.max(1, endMs - outside.nowMs());
    },
  };
}

/** Whether the messages are about the user's own files, which no other way of building can mend. */
function isMistakeIn(root: string, details: ErrorDetails['ERR_BUILD_FAILED']): boolean {
  if (details.reason === 'timeout') return true;
  return details.diagnostics.some(
    ({ file, line, severity }) =>
      line > 0 && isOwn(root, file) && severity !== 'warning' && severity !== 'note',
  );
}
