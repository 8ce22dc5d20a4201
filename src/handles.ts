/** The open handles of this thread, for whoever has only the exports of an addon, or its path. */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addon.ts';
import { isObject } from './swap/shape.ts';

interface Entry {
  readonly addon: Addon;
  readonly source: string;
}

interface Handles {
  readonly open: Set<Entry>;
  readonly byExports: WeakMap<object, Addon>;
  readonly listeners: Set<(addon: Addon) => void>;
  readonly restarters: Set<(message: string | undefined) => void>;
}

/** An app may have another copy of this package than the one that it was started under. */
const KEY = Symbol.for('napi-reload.handles.1');

function handles(): Handles {
  const shared = globalThis as { [KEY]?: Handles };
  shared[KEY] ??= { open: new Set(), byExports: new WeakMap(), listeners: new Set(), restarters: new Set() };
  return shared[KEY];
}

/** Notes a handle until its `closed`. */
export function enrol(addon: Addon, source: string): void {
  const { open, byExports, listeners } = handles();
  const entry = { addon, source };
  const note = (): void => {
    const exports: unknown = addon.exports;
    if (isObject(exports)) byExports.set(exports, addon);
  };
  note();
  // Exports that are no object of ours, such as an instance, are others in each version.
  addon.on('swapped', note);
  addon.on('closed', () => open.delete(entry));
  open.add(entry);
  for (const listener of listeners) listener(addon);
}

/** In the order in which they were opened. */
export function openHandles(): readonly Addon[] {
  return [...handles().open].map(({ addon }) => addon);
}

/** @returns what ends the calls */
export function onOpened(listener: (addon: Addon) => void): () => void {
  const { listeners } = handles();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Tells of whoever asks for a restart of the app. @returns what ends the calls */
export function onInvalidated(listener: (message: string | undefined) => void): () => void {
  const { restarters } = handles();
  restarters.add(listener);
  return () => void restarters.delete(listener);
}

/** Asks for a restart of the app. Where nobody can do it, a process warning says so. */
export function invalidate(message: string | undefined): void {
  const { restarters } = handles();
  for (const restart of restarters) restart(message);
  if (restarters.size > 0) return;
  const why = message === undefined ? '' : `: ${message}`;
  process.emitWarning(`A restart was asked for${why}; start the app with "napi-reload dev" to have it`, {
    code: 'NAPI_RELOAD_INVALIDATED',
  });
}

/**
 * Finds the handle behind an addon of this thread that was opened for reloading, by `napi-reload/register` or by
 * {@link open}.
 *
 * @param exportsOrPath what `require` returned, or the path or file URL of the `.node` file
 * @returns undefined for everything else, so that code which asks runs without the register, too
 * @example
 * ```ts
 * const kernel = require('bindings')('kernel');
 * getAddon(kernel)?.on('reloaded', ({ to }) => console.log(`kernel v${to}`));
 * ```
 */
export function getAddon<T>(exportsOrPath: T | string | URL): Addon<T> | undefined {
  const { open, byExports } = handles();
  if (typeof exportsOrPath !== 'string' && !(exportsOrPath instanceof URL)) {
    const found = isObject(exportsOrPath) ? byExports.get(exportsOrPath) : undefined;
    return found as Addon<T> | undefined;
  }
  const file = realPathOf(exportsOrPath);
  const found = file === null ? undefined : [...open].findLast(({ source }) => realPathOf(source) === file);
  return found?.addon as Addon<T> | undefined;
}

/** @returns null for a URL of something else than a file */
function realPathOf(file: string | URL): string | null {
  let named: string;
  try {
    named = path.resolve(file instanceof URL || file.startsWith('file:') ? fileURLToPath(file) : file);
  } catch {
    return null;
  }
  try {
    return realpathSync(named);
  } catch {
    return named;
  }
}
