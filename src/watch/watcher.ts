/**
 * Tells of changes to exact files, through chokidar.
 *
 * Rules, each of which was a missed edit first:
 * 1. What chokidar emits is throttled: a second write within 50 ms is dropped. Its raw events are not, so these count.
 * 2. A folder that is deleted and made again at once keeps a dead watch of the old one. When a watched folder comes or
 *    goes, all is watched anew, and what changed meanwhile is found by comparing times and sizes.
 * 3. The system drops events when too many wait, and Node.js says nothing of it. After a flood all is watched anew, too.
 * 4. chokidar shares its persistent watches between all its watchers in a process, dead ones too. These here are not
 *    persistent; where one is to hold the process, a timer does.
 */
import path from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { Outside } from '../outside.ts';
import { codeOf } from '../patience.ts';
import { Floods } from './floods.ts';
import { type Plan, planWatch } from './plan.ts';
import { readRaw } from './raw.ts';
import { createSettler, type Settler } from './settle.ts';
import { fileAt, LOOKS_MAX, Unseen } from './unseen.ts';

/** How often each file is looked at when the system has no watches left and nobody said how often, in milliseconds. */
export const POLL_INTERVAL_MS = 200;
/** How long chokidar may take to look at all files before the watch counts as started anyway, in milliseconds. */
export const READY_MAX_MS = 10_000;
/** Rest before all is watched anew, in milliseconds: folders come and go by the dozen when a branch is checked out. */
const REARM_DELAY_MS = 20;
const HOLD_MS = 2 ** 31 - 1;

export interface WatchRequest {
  /** Absolute paths of files; a folder stands for everything below it. They need not exist. */
  readonly files: readonly string[];
  /** A string leaves out that path and all below it, a regular expression what it matches. */
  readonly ignore: readonly (string | RegExp)[];
  /** Silence after the last change, in milliseconds. */
  readonly debounceMs: number;
  /** How often to look at each file, for file systems that tell of no change. @defaultValue null: the system tells */
  readonly pollMs?: number | null;
  /** Whether it keeps the process running. */
  readonly persistent: boolean;
  /** Gets the wanted files that were made or changed, sorted, each once. A deletion alone is not told. */
  onChange(changed: readonly string[]): void;
  /** Watching goes on, but not as it should. Each kind of trouble is told once. */
  onWarning(message: string, cause: unknown): void;
}

export interface Watcher {
  /** Watches these instead. Files that are new in the list count from now on; changes to the others are not lost. */
  setFiles(files: readonly string[]): Promise<void>;
  /** Nothing is told and no handle is held afterwards. Safe to call twice. */
  close(): Promise<void>;
}

/** Resolves when changes are seen. */
export async function startWatcher(request: WatchRequest, outside: Outside): Promise<Watcher> {
  const watcher = new ExactWatcher(request, outside);
  try {
    await watcher.arm();
    return watcher;
  } catch (error) {
    await watcher.close();
    throw error;
  }
}

class ExactWatcher implements Watcher {
  readonly #request: WatchRequest;
  readonly #outside: Outside;
  readonly #settler: Settler;
  readonly #unseen: Unseen;
  readonly #floods: Floods;
  readonly #warned = new Set<string>();
  /** Time and size of each wanted file when last looked at. */
  readonly #known = new Map<string, string>();
  #files: readonly string[];
  /** The last plan that was watched well: a file of it that looks different has changed, any other is new. */
  #armed: Plan | null = null;
  #chokidar: FSWatcher | null = null;
  /** Folders that chokidar watches now. */
  #folders = new Set<string>();
  readonly #pollMs: number;
  #polling: boolean;
  #stale = false;
  #arming: Promise<void> | null = null;
  #closed = false;
  #release: () => void;
  /** Ends the wait for chokidar, which says nothing any more once it is closed. */
  #stopWaiting = (): void => {};
  #stopLooking = (): void => {};

  constructor(request: WatchRequest, outside: Outside) {
    this.#request = request;
    this.#outside = outside;
    this.#files = request.files;
    this.#pollMs = request.pollMs ?? POLL_INTERVAL_MS;
    this.#polling = typeof request.pollMs === 'number';
    this.#settler = createSettler(outside, request.debounceMs, (paths) => void this.#tell(paths));
    this.#unseen = new Unseen(outside, (file) => this.#settler.hint(file));
    this.#floods = new Floods(outside, () => this.#rearm());
    this.#release = request.persistent ? this.#hold() : () => undefined;
  }

  async setFiles(files: readonly string[]): Promise<void> {
    const now = new Set(files);
    const same = now.size === new Set(this.#files).size && this.#files.every((file) => now.has(file));
    if (same || this.#closed) return;
    this.#files = files;
    await this.arm();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settler.stop();
    this.#unseen.clear();
    this.#floods.stop();
    this.#release();
    this.#stopWaiting();
    this.#stopLooking();
    // Who waits for it gets its failure; here it only has to be over, as it may have made one more chokidar.
    await this.#arming?.catch(() => {});
    await this.#chokidar?.close();
  }

  /** Watches all anew; calls that come meanwhile end as one more. */
  arm(): Promise<void> {
    this.#stale = true;
    this.#arming ??= this.#armWhileStale();
    return this.#arming;
  }

  #rearm(): void {
    this.arm().catch((error: unknown) =>
      this.#warn('rearm', 'Watching anew failed; changes may be missed', error),
    );
  }

  async #armWhileStale(): Promise<void> {
    try {
      for (let first = this.#armed === null; this.#stale && !this.#closed; first = false) {
        if (!first) await new Promise<void>((resolve) => this.#outside.after(REARM_DELAY_MS, resolve));
        this.#stale = false;
        await this.#armOnce();
      }
    } finally {
      this.#arming = null;
    }
  }

  async #armOnce(): Promise<void> {
    const plan = await planWatch(this.#outside, this.#files, this.#request.ignore);
    await this.#chokidar?.close();
    if (this.#closed) return;
    for (const file of this.#known.keys()) if (!plan.counts(file)) this.#known.delete(file);
    this.#folders = new Set();
    const chokidar = this.#outside.watch(plan.roots, {
      persistent: false,
      // What is there is told too: that is how changes during a gap are found.
      ignoreInitial: false,
      atomic: false,
      usePolling: this.#polling,
      interval: this.#pollMs,
      binaryInterval: this.#pollMs,
      ignored: (file) => !plan.admits(path.normalize(file)),
    });
    this.#chokidar = chokidar;
    await this.#listen(chokidar, plan);
  }

  /** Resolves when chokidar has looked at everything once, or cannot go on. */
  async #listen(chokidar: FSWatcher, plan: Plan): Promise<void> {
    const before = this.#armed;
    let ready = false;
    chokidar.on('addDir', (folder) => {
      this.#folders.add(folder);
      if (plan.isWantedFile(folder)) this.#rearm();
    });
    chokidar.on('add', (file, stats) => {
      if (!plan.counts(file)) return;
      const stamp = stats ? stampOf(stats) : '';
      const changed = this.#known.get(file) !== stamp;
      if (ready || (changed && before?.counts(file))) this.#settler.hint(file);
      else this.#known.set(file, stamp);
    });
    chokidar.on('change', (file) => {
      if (plan.counts(file)) this.#settler.hint(file);
    });
    chokidar.on('raw', (event, name, details) => this.#onRaw(plan, event, name, details));
    ready = await this.#whenReady(chokidar);
    if (ready) this.#armed = plan;
    if (ready && this.#polling) {
      this.#stopLooking();
      this.#stopLooking = this.#outside.after(this.#pollMs, () => void this.#findMissed());
    }
  }

  /** @returns false when this watch is of no use and another is to follow */
  #whenReady(chokidar: FSWatcher): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (usable: boolean) => {
        cancel();
        resolve(usable);
      };
      const cancel = this.#outside.after(READY_MAX_MS, () => end(true));
      this.#stopWaiting = () => end(false);
      chokidar.once('ready', () => end(true));
      chokidar.on('error', (error) => {
        if (this.#onError(error)) end(false);
      });
    });
  }

  /**
   * Each poll is compared with the one before it, and the first may run after chokidar was ready: nobody would tell of an
   * edit between them.
   */
  async #findMissed(): Promise<void> {
    for (const [file, stamp] of [...this.#known]) {
      const found = await fileAt(this.#outside, file).catch(() => 'unseen' as const);
      if (this.#closed) return;
      if (found === 'unseen' || (found !== null && stampOf(found) !== stamp)) this.#settler.hint(file);
    }
  }

  #onRaw(plan: Plan, event: string, name: unknown, details: unknown): void {
    if (!this.#closed) this.#floods.count();
    const { paths, changed } = readRaw(name, details);
    if (!changed) return;
    for (const file of paths) {
      if (plan.counts(file)) this.#settler.hint(file);
      const isFolder = this.#folders.has(file) || plan.isOnTheWay(file);
      if (event === 'rename' && isFolder) this.#rearm();
    }
  }

  /** @returns whether this watch is of no use any more */
  #onError(error: unknown): boolean {
    const code = codeOf(error);
    const limit = LIMITS[code];
    if (limit === undefined || this.#polling) {
      this.#warn(code, `Some files cannot be watched: ${code}`, error);
      return false;
    }
    this.#polling = true;
    const instead = `each file is looked at every ${POLL_INTERVAL_MS} ms instead; raise ${limit} to have it quicker`;
    this.#warn(code, `The system has no file watches left (${code}): ${instead}`, error);
    this.#rearm();
    return true;
  }

  #warn(code: string, message: string, cause: unknown): void {
    if (this.#closed || this.#warned.has(code)) return;
    this.#warned.add(code);
    this.#request.onWarning(message, cause);
  }

  async #tell(paths: ReadonlySet<string>): Promise<void> {
    const changed: string[] = [];
    for (const file of [...paths].sort()) if (await this.#hasChanged(file)) changed.push(file);
    if (changed.length > 0 && !this.#closed) this.#request.onChange(changed);
  }

  async #hasChanged(file: string): Promise<boolean> {
    try {
      const found = await fileAt(this.#outside, file);
      this.#unseen.forget(file);
      if (found === null) {
        this.#known.delete(file);
        return false;
      }
      const [stamp, before] = [stampOf(found), this.#known.get(file)];
      this.#known.set(file, stamp);
      // Both a poll and the look for missed edits may have found it.
      return !this.#polling || before !== stamp;
    } catch (error) {
      if (this.#closed || this.#unseen.add(file)) return false;
      const code = codeOf(error);
      const message = `${JSON.stringify(file)} could not be looked at ${LOOKS_MAX} times in a row (${code}): it counts as changed`;
      this.#warn(`look ${code}`, message, error);
      return true;
    }
  }

  #hold(): () => void {
    return this.#outside.after(HOLD_MS, () => {
      this.#release = this.#hold();
    });
  }
}

/** What to raise, by the code of the failure to watch. */
const LIMITS: Readonly<Record<string, string>> = {
  EMFILE: 'fs.inotify.max_user_instances',
  ENOSPC: 'fs.inotify.max_user_watches',
};

function stampOf(stats: { readonly mtimeMs: number; readonly size: number }): string {
  return `${stats.mtimeMs} ${stats.size}`;
}
