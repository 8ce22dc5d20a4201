/**
 * Hot updates in the words of Vite's `import.meta.hot`, for app code that wants to react when an addon goes over to a new
 * version. Nothing of it is needed to be reloaded: functions of an addon run the new code by themselves.
 *
 * The order of one update: `beforeUpdate`, the switch, `dispose`, `accept`, `afterUpdate`, then the end of the old version.
 * What `dispose` lets go of is no pin any more when that is looked at.
 *
 * https://vite.dev/guide/api-hmr
 */
import type { Addon } from './addon.ts';
import type { ReloadError } from './errors.ts';
import type { AddonEvents, Listener } from './events.ts';
import { getAddon, invalidate, onOpened, openHandles } from './handles.ts';

/** What is told of, by the name of the event. */
export interface HotEvents {
  /** A new version is loaded, and about to go live. */
  'napi-reload:beforeUpdate': {
    /** The handle that it is of. */
    readonly addon: Addon;
  };
  /** It is live, and whoever accepts it was called. */
  'napi-reload:afterUpdate': {
    /** The handle that it is of. */
    readonly addon: Addon;
    /** The version that served before. */
    readonly from: number;
    /** The version that serves now. */
    readonly to: number;
  };
  /** A new version was refused; the one that served before serves on. */
  'napi-reload:error': {
    /** The handle that it is of. */
    readonly addon: Addon;
    /** Why it was refused. */
    readonly error: ReloadError;
  };
  /** A handle was closed. */
  'napi-reload:beforePrune': {
    /** That handle. */
    readonly addon: Addon;
  };
  /** Somebody asked for a restart of the app. */
  'napi-reload:invalidate': {
    /** Why, where they said. */
    readonly message: string | undefined;
  };
}

/** What is called for one of {@link HotEvents}. */
export type HotListener<K extends keyof HotEvents> = (payload: HotEvents[K]) => void;

/** An addon that is open: its exports, its path, or a file URL. */
export type HotDependency = string | URL | object;

/** Callbacks around the updates of addons, and the data that they share. Made by {@link createHot}. */
export interface HotContext extends Disposable {
  /** Yours, for the life of the context. What `dispose` puts there is found by `accept`. */
  readonly data: Record<string, unknown>;
  /** Called with the exports of each addon that went over to a new version. */
  accept(callback?: (exports: unknown) => void): void;
  /** The same for several addons; those that did not change are undefined, as in Vite. */
  accept(dependencies: readonly HotDependency[], callback: (exports: unknown[]) => void): void;
  /** The same for one addon, which may be opened later. */
  accept(dependency: HotDependency, callback: (exports: unknown) => void): void;
  /** Called before `accept`, to let go of what belongs to the version that was replaced: views of its memory, timers. */
  dispose(callback: (data: Record<string, unknown>) => void): void;
  /** Called when a handle was closed. */
  prune(callback: (data: Record<string, unknown>) => void): void;
  /** Says that the app cannot go on with an update: `napi-reload dev` restarts it. */
  invalidate(message?: string): void;
  /**
   * Has a listener called for each event of that name.
   *
   * @example
   * ```ts
   * hot.on('napi-reload:error', ({ error }) => console.error(error.message));
   * ```
   */
  on<K extends keyof HotEvents>(event: K, listener: HotListener<K>): void;
  /** Takes a listener off again. One that was never put on is no error. */
  off<K extends keyof HotEvents>(event: K, listener: HotListener<K>): void;
  /** Nothing of it is called any more. */
  [Symbol.dispose](): void;
}

type Accept =
  | { readonly kind: 'any'; readonly callback: (exports: unknown) => void }
  | { readonly kind: 'one'; readonly of: HotDependency; readonly callback: (exports: unknown) => void }
  | {
      readonly kind: 'some';
      readonly of: readonly HotDependency[];
      readonly callback: (exports: unknown[]) => void;
    };

class Hot implements HotContext {
  readonly data: Record<string, unknown> = {};
  readonly #accepts: Accept[] = [];
  readonly #disposes: ((data: Record<string, unknown>) => void)[] = [];
  readonly #prunes: ((data: Record<string, unknown>) => void)[] = [];
  readonly #listeners = new Map<keyof HotEvents, Set<(payload: never) => void>>();

  /** What ends the calls of each handle that is open. */
  readonly #followed = new Map<Addon, (() => void)[]>();
  readonly #stop: () => void;

  constructor() {
    for (const addon of openHandles()) this.#follow(addon);
    this.#stop = onOpened((addon) => this.#follow(addon));
  }

  accept(
    first?: HotDependency | readonly HotDependency[] | ((exports: unknown) => void),
    callback?: ((exports: unknown) => void) | ((exports: unknown[]) => void),
  ): void {
    if (callback === undefined) {
      // Without anybody to call it says that updates are welcome, which they are.
      if (typeof first === 'function')
        this.#accepts.push({ kind: 'any', callback: first as (exports: unknown) => void });
    } else if (isList(first)) {
      this.#accepts.push({ kind: 'some', of: first, callback: callback as (exports: unknown[]) => void });
    } else if (first !== undefined) {
      this.#accepts.push({ kind: 'one', of: first, callback: callback as (exports: unknown) => void });
    }
  }

  dispose(callback: (data: Record<string, unknown>) => void): void {
    this.#disposes.push(callback);
  }

  prune(callback: (data: Record<string, unknown>) => void): void {
    this.#prunes.push(callback);
  }

  invalidate(message?: string): void {
    this.#emit('napi-reload:invalidate', { message });
    invalidate(message);
  }

  on<K extends keyof HotEvents>(event: K, listener: HotListener<K>): void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
  }

  off<K extends keyof HotEvents>(event: K, listener: HotListener<K>): void {
    this.#listeners.get(event)?.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#stop();
    for (const ends of this.#followed.values()) for (const end of ends) end();
    this.#followed.clear();
  }

  #follow(addon: Addon): void {
    const ends: (() => void)[] = [];
    this.#followed.set(addon, ends);
    const listen = <K extends keyof AddonEvents>(event: K, listener: Listener<K>): void => {
      addon.on(event, listener);
      ends.push(() => addon.off(event, listener));
    };
    listen('progress', ({ phase }) => {
      if (phase === 'prepare') this.#emit('napi-reload:beforeUpdate', { addon });
    });
    listen('swapped', ({ from, to }) => {
      callEach(this.#disposes, this.data);
      callEach(
        this.#accepts.map((accept) => () => acceptOf(accept, addon)),
        undefined,
      );
      this.#emit('napi-reload:afterUpdate', { addon, from, to });
    });
    listen('failed', (error) => this.#emit('napi-reload:error', { addon, error }));
    listen('closed', () => {
      this.#followed.delete(addon);
      this.#emit('napi-reload:beforePrune', { addon });
      callEach(this.#prunes, this.data);
    });
  }

  #emit<K extends keyof HotEvents>(event: K, payload: HotEvents[K]): void {
    callEach((this.#listeners.get(event) ?? []) as Iterable<HotListener<K>>, payload);
  }
}

function isList(value: unknown): value is readonly HotDependency[] {
  return Array.isArray(value);
}

function acceptOf(accept: Accept, addon: Addon): void {
  const isMeant = (dependency: HotDependency): boolean => getAddon(dependency) === addon;
  switch (accept.kind) {
    case 'any':
      accept.callback(addon.exports);
      return;
    case 'one':
      if (isMeant(accept.of)) accept.callback(addon.exports);
      return;
    case 'some':
      if (accept.of.some(isMeant))
        accept.callback(accept.of.map((dependency) => (isMeant(dependency) ? addon.exports : undefined)));
  }
}

/** What one throws is no matter of the others: the first of it goes on to whoever tells of listeners' mistakes. */
function callEach<T>(callbacks: Iterable<(argument: T) => void>, argument: T): void {
  const failures: unknown[] = [];
  for (const callback of [...callbacks]) {
    try {
      callback(argument);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * A context of its own, with callbacks and data of its own: for a package in an app.
 *
 * @example
 * ```ts
 * const hot = createHot();
 * hot.dispose((data) => { data.window = stream.window; stream.close(); });
 * hot.accept('build/Release/kernel.node', () => { stream = openStream(hot.data.window); });
 * ```
 */
export function createHot(): HotContext {
  return new Hot();
}

/** One for the whole thread. */
export const hot: HotContext = createHot();
export default hot;
