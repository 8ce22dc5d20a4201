/**
 * One run of `napi-reload dev`: what is built, when the app starts, and who is asked to reload.
 *
 *     change → build → the app runs: reload in every thread → idle
 *                    → it does not: start it
 */
import type { StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { describe, isReloadError } from '../../errors.ts';
import type { LinkHandle } from '../../link/messages.ts';
import { type LinkServer, startLinkServer } from '../../link/server.ts';
import type { Outside } from '../../outside.ts';
import type { AppCommand, AppEnd } from './app.ts';
import { AppRuns } from './app-runs.ts';
import type { BuildReason, DevEvent, Outcome } from './events.ts';
import type { Job } from './jobs.ts';
import type { Project, ProjectListener, ProjectPlan } from './project.ts';
import { Projects } from './projects.ts';
import { Threads } from './threads.ts';

export interface SessionOptions {
  readonly plans: readonly ProjectPlan[];
  /** @param socket path of the link */
  command(socket: string): AppCommand;
  readonly stdio: StdioOptions;
  /** Whether the app is started again where a version cannot be swapped in place. */
  readonly restarts: boolean;
  /** Whether the end of the app is the end of all. */
  readonly endsWithApp: boolean;
  /** @returns how to build an addon that the app has opened; null when nothing here does */
  planFor(addon: string): Promise<ProjectPlan | null>;
  /** Of this program. */
  readonly version: string;
  tell(event: DevEvent): void;
  output(stream: 'stdout' | 'stderr', chunk: string): void;
}

/** Restarts in a row that the app may ask for itself: one that asks each time it starts would never come to rest. */
export const INVALIDATIONS_MAX = 5;
/** What shells add to the number of the signal that ended a process. */
const EXIT_BY_SIGNAL = 128;
/** What shells answer for a program that cannot be run. */
const EXIT_NOT_STARTED = 126;

export class Session implements ProjectListener {
  /** Nothing of it runs any more. */
  readonly ended: Promise<void>;
  readonly #options: SessionOptions;
  readonly #outside: Outside;
  readonly #threads: Threads;
  readonly #projects: Projects;
  /** What changes ask for while it is paused. */
  readonly #held = new Map<Project, Job>();
  #resolveEnded: () => void = () => {};
  #link: LinkServer | null = null;
  #app: AppRuns | null = null;
  #isPaused = false;
  #isEnding = false;
  #isOver = false;
  #exitCode: number | null = null;
  /** Jobs that run or wait. */
  #jobs = 0;
  #invalidations = 0;
  /** The addon that was reloaded last: the one to go back with. */
  #lastAddon: string | null = null;

  constructor(options: SessionOptions, outside: Outside) {
    this.#options = options;
    this.#outside = outside;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const planFor = (addon: string): Promise<ProjectPlan | null> => options.planFor(addon);
    this.#projects = new Projects({ outside, listener: this, planFor });
    this.#threads = new Threads({
      outside,
      tell: (event) => this.tell(event),
      opened: (handle) => void this.#opened(handle),
      invalidated: (message) => this.#invalidated(message),
    });
  }

  /**
   * Watches, builds, and starts the app once all is built.
   *
   * @throws `ReloadError` when a project cannot be watched, or no socket be made. Nothing is left open then
   */
  async start(): Promise<void> {
    const { stdio, version, output } = this.#options;
    try {
      this.#link = await startLinkServer(this.#threads);
      for (const plan of this.#options.plans) await this.#projects.open(plan);
    } catch (error) {
      await this.#close('SIGTERM');
      throw error;
    }
    if (this.#isEnding) {
      // It was over before it began: that close did not know of all this.
      await this.#close('SIGTERM');
      return;
    }
    const command = this.#options.command(this.#link.path);
    this.#app = new AppRuns({
      ...{ command, stdio, output, outside: this.#outside },
      tell: (event) => this.tell(event),
      onEnd: (end) => this.#appEnded(end),
    });
    const projects = this.#projects.all.map(({ info }) => info);
    this.tell({ type: 'start', version, pid: process.pid, command: command.title, projects });
    if (projects.length === 0) await this.#work(() => this.#startApp());
    else this.#requestAll('start', false);
  }

  /** Of whoever was first to ask for the end of all; null while nobody has. */
  get exitCode(): number | null {
    return this.#exitCode;
  }

  /** Ends all that was started, and settles {@link ended}. @param signal what the app is told */
  end(exitCode: number, signal: NodeJS.Signals = 'SIGTERM'): void {
    if (this.#exitCode !== null) return;
    this.#exitCode = exitCode;
    this.tell({ type: 'ending' });
    this.#finish(signal);
  }

  /** The same, for another session to follow, unless somebody asks for the end of all before that. */
  giveWay(because: string): void {
    if (this.#isEnding) return;
    this.tell({ type: 'restarting', because });
    this.#finish('SIGTERM');
  }

  /** What the exit of this process does not end by itself. */
  endNow(): void {
    this.#link?.close();
  }

  rebuild(clean: boolean): void {
    this.#held.clear();
    this.#invalidations = 0;
    this.#requestAll('key', clean);
  }

  /** Goes back with the addon that was reloaded last, or the first that the app runs. */
  rollback(): void {
    const { addons } = this.#threads;
    const [first] = addons;
    const addon = this.#lastAddon !== null && addons.has(this.#lastAddon) ? this.#lastAddon : first;
    if (addon === undefined) {
      this.#warn('rollback', 'Nothing to go back with: the app runs no addon');
      return;
    }
    const job: Job = { kind: 'rollback', addon, sinceMs: Date.now() };
    const project = this.#projects.of(addon);
    void this.#work(() => project?.request(job) ?? this.rolledBack(job));
  }

  togglePause(): void {
    this.#isPaused = !this.#isPaused;
    this.tell({ type: this.#isPaused ? 'paused' : 'resumed' });
    if (this.#isPaused) return;
    for (const [project, job] of this.#held) this.#supersede(project, job);
    this.#held.clear();
  }

  restart(because: string): void {
    this.#invalidations = 0;
    void this.#work(() => this.#restart(because));
  }

  async showVersions(): Promise<void> {
    this.tell({ type: 'versions', threads: await this.#threads.versions() });
  }

  tell(event: DevEvent): void {
    // Links may still be on their way out.
    if (!this.#isOver) this.#options.tell(event);
  }

  changed(project: Project, files: readonly string[]): void {
    void this.#lastChange(files).then((sinceMs) => {
      if (this.#isEnding) return;
      const detectMs = Math.max(0, Date.now() - sinceMs);
      this.tell({ type: 'changed', project: project.id, files, detectMs });
      const job: Job = project.writes(files)
        ? { kind: 'reload', isForeign: true, sinceMs }
        : { kind: 'build', reason: 'change', clean: false, sinceMs };
      if (!this.#isPaused) this.#supersede(project, job);
      // A build makes up for a reload that waits as well.
      else if (job.kind === 'build' || !this.#held.has(project)) this.#held.set(project, job);
    });
  }

  async built(project: Project, { sinceMs }: Job): Promise<void> {
    if (this.#app?.state !== 'running') return this.#startApp();
    const addons = [...this.#threads.addons].filter((addon) => project.has(addon));
    await this.#reload('reload', addons, { project: project.id, sinceMs });
  }

  async rolledBack({ addon, sinceMs }: Extract<Job, { kind: 'rollback' }>): Promise<void> {
    await this.#reload('rollback', [addon], { project: this.#projects.of(addon)?.id ?? null, sinceMs });
  }

  /** Projects of one command line are few; building them one after the other keeps each as quick as it can be. */
  #requestAll(reason: BuildReason, clean: boolean): void {
    const job: Job = { kind: 'build', reason, clean, sinceMs: Date.now() };
    void this.#work(async () => {
      for (const project of this.#projects.all) await project.request(job);
    });
  }

  #supersede(project: Project, job: Job): void {
    this.#invalidations = 0;
    void this.#work(() => project.supersede(job));
  }

  /** Once everything is built: what is not would fail to load. */
  async #startApp(): Promise<void> {
    if (this.#projects.areBuilt) await this.#app?.start();
  }

  async #restart(because: string): Promise<void> {
    this.tell({ type: 'restarting', because });
    await this.#app?.restart();
  }

  async #reload(
    verb: 'reload' | 'rollback',
    addons: readonly string[],
    { project, sinceMs }: { readonly project: string | null; readonly sinceMs: number },
  ): Promise<void> {
    if (addons.length > 0) this.tell({ type: 'reloading', verb, addons });
    const outcomes: Outcome[] = [];
    for (const addon of addons) {
      const outcome = await this.#threads.ask(verb, addon);
      if (outcome === null) continue;
      outcomes.push(outcome);
      if (outcome.outcome === 'reloaded') this.#lastAddon = addon;
    }
    const totalMs = Math.max(0, Date.now() - sinceMs);
    this.tell({ type: 'reloaded', verb, project, outcomes, totalMs });
    const cured = outcomes.find(
      ({ outcome, restartBecause }) => outcome === 'failed' && restartBecause !== null,
    );
    if (cured?.restartBecause && this.#options.restarts) await this.#restart(cured.restartBecause);
  }

  async #opened({ addon, libraries, serving, versions }: LinkHandle): Promise<void> {
    const project = this.#projects.of(addon);
    if (project === undefined) return this.#work(() => this.#adopt(addon));
    await project.noteProducts(libraries);
    // The app may have copied the file while a build was about to replace it, and told of it only now.
    const hash = versions.find(({ id }) => id === serving)?.hash;
    const built = project.hashOf(addon);
    if (built === null || hash === undefined || hash === built) return;
    const job: Job = { kind: 'reload', isForeign: false, sinceMs: Date.now() };
    await this.#work(() => project.request(job));
  }

  async #adopt(addon: string): Promise<void> {
    const project = await this.#projects.adopt(addon);
    if (project === null) return;
    this.tell({ type: 'project', ...project.info });
    await project.request({ kind: 'build', reason: 'opened', clean: false, sinceMs: Date.now() });
  }

  #invalidated(message: string): void {
    this.#invalidations += 1;
    if (this.#invalidations <= INVALIDATIONS_MAX) {
      void this.#work(() => this.#restart(`the app asks for it: ${message}`));
      return;
    }
    if (this.#invalidations > INVALIDATIONS_MAX + 1) return;
    this.#warn(
      'invalidate',
      `The app has asked ${this.#invalidations} times in a row to be started again: it is left as it is until something changes`,
    );
  }

  #appEnded(end: AppEnd): void {
    if (this.#options.endsWithApp) this.end(exitCodeOf(end));
    else if (this.#jobs === 0) this.#tellIdle();
  }

  /** When the last of the files was written to, by the wall clock. */
  async #lastChange(files: readonly string[]): Promise<number> {
    const times = files.map((file) =>
      this.#outside.stat(file).then(
        ({ ctimeMs }) => ctimeMs,
        () => 0,
      ),
    );
    return Math.min(Date.now(), Math.max(...(await Promise.all(times)))) || Date.now();
  }

  async #work(job: () => Promise<void>): Promise<void> {
    this.#jobs += 1;
    try {
      await job();
    } catch (error) {
      // What a user can mend is told in a line; anything else is a defect, whose stack is of use.
      const isKnown = isReloadError(error) || !(error instanceof Error);
      this.#warn('internal', isKnown ? describe(error) : (error.stack ?? error.message));
    } finally {
      this.#jobs -= 1;
      if (this.#jobs === 0) this.#tellIdle();
    }
  }

  #tellIdle(): void {
    if (!this.#isEnding) this.tell({ type: 'idle', app: this.#app?.state ?? 'not-started' });
  }

  #warn(code: string, message: string): void {
    this.tell({ type: 'warning', code, message });
  }

  #finish(signal: NodeJS.Signals): void {
    if (this.#isEnding) return;
    void this.#close(signal).then(() => {
      this.#isOver = true;
      this.#resolveEnded();
    });
  }

  async #close(signal: NodeJS.Signals): Promise<void> {
    this.#isEnding = true;
    await Promise.all([this.#projects.close(), this.#app?.close(signal)]);
    this.#link?.close();
  }
}

/** As shells have it. */
function exitCodeOf(end: AppEnd): number {
  if (end.kind === 'not-started') return EXIT_NOT_STARTED;
  return end.exitCode ?? EXIT_BY_SIGNAL + (end.signal === null ? 0 : constants.signals[end.signal]);
}
