/** Addons that one command builds: their watch, and one job for them at a time. */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SourcePath } from '../../brands.ts';
import type { Builder, BuildOutcome } from '../../build/builder.ts';
import { createBuilder } from '../../build/create-builder.ts';
import type { ResolvedBuild } from '../../build-options.ts';
import { ChangeFilter } from '../../change-filter.ts';
import type { Diagnostic } from '../../diagnostic.ts';
import { describe, isReloadError, type ReloadError } from '../../errors.ts';
import { JobQueue, type JobSignals } from '../../job-queue.ts';
import type { ResolvedWatch } from '../../options.ts';
import type { Outside } from '../../outside.ts';
import { hashOf } from '../../watch/build-changes.ts';
import { startWatcher, type Watcher } from '../../watch/watcher.ts';
import { resolveAuto, titleOf } from './build-title.ts';
import type { DevEvent, ProjectInfo } from './events.ts';
import { type Job, mergeJobs } from './jobs.ts';

export interface ProjectPlan {
  readonly addons: readonly [SourcePath, ...SourcePath[]];
  readonly build: ResolvedBuild;
  readonly watch: ResolvedWatch;
  /** How often to look at each file; null where the system tells. */
  readonly pollMs: number | null;
  readonly buildTimeoutMs: number;
}

export interface ProjectListener {
  tell(event: DevEvent): void;
  /** Files changed that are not the build's own doing. */
  changed(project: Project, files: readonly string[]): void;
  /** What was built is to go live; rejects never. */
  built(project: Project, job: Job): Promise<void>;
  rolledBack(job: Extract<Job, { kind: 'rollback' }>): Promise<void>;
}

export class Project {
  readonly root: string;
  /** What it is called in events: its folder, or, where that has several projects, its first addon. */
  id: string;
  readonly #plan: ProjectPlan;
  /** What people know the builder as. */
  readonly #title: string;
  readonly #builder: Builder | null;
  readonly #listener: ProjectListener;
  readonly #outside: Outside;
  readonly #filter: ChangeFilter;
  readonly #queue: JobQueue<Job, void>;
  readonly #addons: Set<string>;
  /** What its builds write: the addons, and private libraries that the app told of. */
  readonly #products: Set<string>;
  /** Bytes of them after the last build. */
  #known = new Map<string, string | null>();
  #watched: readonly string[] = [];
  #watcher: Watcher | null = null;
  /** Whether what is built now is what the sources say, as far as the last build knows. */
  isBuilt: boolean;

  private constructor(
    plan: ProjectPlan,
    builder: Builder | null,
    title: string,
    listener: ProjectListener,
    outside: Outside,
  ) {
    const [first] = plan.addons;
    this.#plan = plan;
    this.#title = title;
    this.#builder = builder;
    this.#listener = listener;
    this.#outside = outside;
    this.root = builder?.root ?? path.dirname(first);
    this.id = this.root;
    this.#addons = new Set(plan.addons);
    this.#products = new Set(plan.addons);
    this.isBuilt = builder === null;
    this.#filter = new ChangeFilter(
      {
        outside,
        hasBuilds: builder !== null,
        products: () => [...this.#products],
        isKnown: (file, hash) => this.#known.get(file) === hash,
        isBuiltHere: async () => false,
      },
      {
        onChange: (files) => listener.changed(this, files),
        onWarning: (message) => this.#warn(message),
        after: (ms, callback) => void outside.after(ms, callback),
      },
    );
    this.#queue = new JobQueue({
      about: { addon: first },
      run: (job, signals) => this.#run(job, signals),
      merge: mergeJobs,
    });
  }

  /**
   * Watches; nothing is built yet.
   *
   * @throws `ERR_INVALID_OPTION` when its folder cannot be found, or there are too many files to watch them all
   */
  static async open(plan: ProjectPlan, listener: ProjectListener, outside: Outside): Promise<Project> {
    const [first] = plan.addons;
    const build = await resolveAuto(plan.build, first, outside);
    const builder = await createBuilder(build, first, outside);
    const project = new Project(plan, builder, titleOf(build), listener, outside);
    await project.#watch();
    return project;
  }

  get info(): ProjectInfo {
    return { id: this.id, root: this.root, builder: this.#title, addons: [...this.#addons] };
  }

  get watched(): readonly string[] {
    return this.#watched;
  }

  /** Whether both are built by the same command. */
  isSameAs(other: Project): boolean {
    return this.root === other.root && isDeepStrictEqual(this.#plan.build, other.#plan.build);
  }

  /** Whether the app's addon is one of its own. */
  has(addon: string): boolean {
    return this.#addons.has(addon);
  }

  /** Whether its builds write all of these files. */
  writes(files: readonly string[]): boolean {
    return files.every((file) => this.#products.has(file));
  }

  /** SHA-256 of a product as the last build left it; null where that is not known. */
  hashOf(product: string): string | null {
    return this.#known.get(product) ?? null;
  }

  /** An addon that its builds write, too: the app has opened it. */
  async addAddon(addon: string): Promise<void> {
    this.#addons.add(addon);
    await this.noteProducts([addon]);
  }

  /** Tells of files that its builds may write, such as private libraries. */
  async noteProducts(files: readonly string[]): Promise<void> {
    const added = files.filter((file) => !this.#products.has(file));
    if (added.length === 0) return;
    for (const file of added) {
      this.#products.add(file);
      this.#known.set(file, await hashOf(this.#outside, file));
    }
    await this.refresh();
  }

  /** Resolves when it is done, however it went. */
  async request(job: Job): Promise<void> {
    await this.#queue.push(job).catch((error: unknown) => this.#tellTrouble(error));
  }

  /** The same, and a build in flight is ended: what it builds is old already. */
  async supersede(job: Job): Promise<void> {
    await this.#queue.supersede(job).catch((error: unknown) => this.#tellTrouble(error));
  }

  /** Ends a build in flight. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([this.#queue.close(), this.#watcher?.close()]);
  }

  async #watch(): Promise<void> {
    this.#watched = await this.#files();
    await this.#noteBytes();
    const { watch, pollMs } = this.#plan;
    this.#watcher = await startWatcher(
      {
        files: this.#watched,
        ignore: watch.ignore,
        debounceMs: watch.debounceMs,
        persistent: true,
        pollMs,
        onChange: (files) => this.#filter.push(files),
        onWarning: (message) => this.#warn(message),
      },
      this.#outside,
    );
  }

  async #files(): Promise<readonly string[]> {
    const inputs = this.#plan.watch.paths ?? (await this.#builder?.inputs()) ?? [];
    return [...inputs, ...this.#products];
  }

  /** Looks again at what the build reads. Never rejects. */
  async refresh(): Promise<void> {
    // What cannot be read now, such as a binding.gyp in the middle of an edit, leaves the old list in force.
    const now = await this.#files().catch(() => null);
    if (now === null) return;
    const before = new Set(this.#watched);
    this.#watched = now;
    await this.#watcher?.setFiles(now).catch((cause: unknown) => {
      this.#warn(`Watching what the build reads now failed; changes may be missed: ${describe(cause)}`);
    });
    const added = now.filter((file) => !before.has(file));
    // Nobody told of what changed in a file between the start of the build that first read it and now.
    if (this.#plan.watch.paths === null) await this.#filter.pushLate(added);
  }

  async #run(job: Job, { build: signal }: JobSignals): Promise<void> {
    if (job.kind === 'rollback') return this.#listener.rolledBack(job);
    if (job.kind === 'reload') {
      await this.#noteBytes();
      if (job.isForeign) this.isBuilt = true;
      return this.#listener.built(this, job);
    }
    const built = this.#builder === null || (await this.#build(this.#builder, job, signal));
    if (built) await this.#listener.built(this, job);
  }

  /** @returns whether it went well. @throws `ERR_ABORTED` */
  async #build(
    builder: Builder,
    job: Extract<Job, { kind: 'build' }>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { reason, clean } = job;
    const project = this.id;
    const startedMs = this.#outside.nowMs();
    this.#listener.tell({ type: 'building', project, reason, clean });
    this.#filter.buildBegan();
    try {
      const outcome = await builder.build({
        signal,
        timeoutMs: this.#plan.buildTimeoutMs,
        clean,
        // Who asks by a key may know of what no list of inputs has.
        always: reason === 'key',
        onProgress: ({ step, done = null, total = null }) =>
          this.#listener.tell({ type: 'progress', project, step, done, total }),
      });
      await this.#ended();
      this.isBuilt = true;
      this.#tellBuilt(outcome, this.#outside.nowMs() - startedMs);
      return true;
    } catch (error) {
      if (!isReloadError(error) || error.code === 'ERR_ABORTED') throw error;
      await this.#ended();
      this.isBuilt = false;
      this.#tellFailed(error, this.#outside.nowMs() - startedMs);
      return false;
    }
  }

  async #noteBytes(): Promise<void> {
    for (const file of this.#products) this.#known.set(file, await hashOf(this.#outside, file));
  }

  async #ended(): Promise<void> {
    await this.#noteBytes();
    this.#filter.buildEnded();
    await this.refresh();
  }

  #tellBuilt({ configured, skipped, diagnostics, phasesMs }: BuildOutcome, durationMs: number): void {
    const project = this.id;
    this.#listener.tell({
      type: 'built',
      ...{ project, configured, skipped, diagnostics, durationMs },
      phasesMs: { ...phasesMs },
    });
  }

  #tellFailed(error: ReloadError, durationMs: number): void {
    const isBuild = isReloadError(error, 'ERR_BUILD_FAILED');
    const { diagnostics, output } = isBuild ? error.details : NOTHING_SAID;
    const { code, message } = error;
    const project = this.id;
    this.#listener.tell({
      type: 'build-failed',
      ...{ project, code, message, diagnostics, output, durationMs },
      summary: summaryOf(error, diagnostics),
      phasesMs: {},
    });
  }

  /** An end that was asked for is none. */
  #tellTrouble(error: unknown): void {
    if (isReloadError(error, 'ERR_ABORTED') || isReloadError(error, 'ERR_CLOSED')) return;
    this.#listener.tell({ type: 'warning', code: 'internal', message: describe(error) });
  }

  #warn(message: string): void {
    this.#listener.tell({ type: 'warning', code: 'watch', message });
  }
}

const NOTHING_SAID: { readonly diagnostics: readonly Diagnostic[]; readonly output: string } = {
  diagnostics: [],
  output: '',
};

function summaryOf({ message }: ReloadError, diagnostics: readonly Diagnostic[]): string {
  const first = diagnostics.find(({ severity }) => severity === 'error' || severity === 'fatal error');
  if (first === undefined) return message;
  return `${path.basename(first.file)}${first.line > 0 ? `:${first.line}` : ''}: ${first.text}`;
}
