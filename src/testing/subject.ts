/** What is looked at: an open handle, or a kit that has one. */
import type { Addon } from '../addon.ts';
import { invalid, show } from '../option-checks.ts';

/** An open handle, or what {@link createReloadable} made. */
export type Subject<T = unknown> = Addon<T> | { readonly addon: Addon<T> };

/** The exports of a {@link Subject}. */
export type ExportsOf<S> =
  S extends Addon<infer T> ? T : S extends { readonly addon: Addon<infer T> } ? T : never;

/**
 * Tells a handle by what it can do: another copy of this package may have opened it.
 *
 * @throws `ERR_INVALID_OPTION` for anything else
 */
export function handleOf(subject: unknown): Addon {
  const handle = has(subject, 'addon') ? subject.addon : subject;
  if (has(handle, 'reload') && has(handle, 'versions') && has(handle, 'current')) return handle as Addon;
  return invalid('subject', show(subject), 'a handle that open() returned, or a kit of createReloadable()');
}

function has<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  return typeof value === 'object' && value !== null && key in value;
}
