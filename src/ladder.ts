/**
 * What to do where a version cannot be reloaded in place: some refusals only a fresh process cures.
 *
 *     reload in place → (option `fallback`) the same version in a process of its own → restart by hand
 */
import type { VersionId } from './brands.ts';
import { isReloadError } from './errors.ts';
import { loadHosted } from './hosting.ts';
import type { NativeImage } from './native.ts';
import type { Binding } from './stage/rebind.ts';
import type { Staged } from './stage/stager.ts';
import { hostOf, type LoadedCode, type Version } from './version.ts';
import { discard, type Hosting, type Workshop } from './workshop.ts';

/** In the words of glibc: "cannot allocate memory in static TLS block". */
const STATIC_TLS = /static TLS/;

/**
 * Completes "a fresh process is needed because".
 *
 * @returns null for what a fresh process would refuse as well
 */
export function whyFreshProcess(error: unknown): string | null {
  if (isReloadError(error, 'ERR_VERSION_BUDGET')) return 'this one has no room for another version';
  if (isReloadError(error, 'ERR_LOAD_FAILED') && STATIC_TLS.test(error.details.found)) {
    return 'this one has no static thread-local storage left';
  }
  return null;
}

/**
 * Completes "it would be better in a process of its own because".
 *
 * @returns null where nothing of the old version gets in its way
 */
export function conflictOf(serving: Version | null, image: NativeImage, binding: Binding): string | null {
  if (serving === null || binding.kind !== 'plain' || image.uniqueSymbols === 0) return null;
  return `it cannot be unloaded, and shares ${image.uniqueSymbols} variables with the version before`;
}

/** Whether the next version runs in a host. Who has gone to a process stays with it. */
export function runsHosted({ options, serving }: Workshop): boolean {
  return options.isolation !== 'inline' || hostOf(serving) !== null;
}

/**
 * Loads in a process what was refused here.
 *
 * @param binding of the copy, where it was rebound for this process
 * @throws what the host refused it for
 */
export async function fallBack(
  shop: Workshop,
  hosting: Hosting,
  staged: Staged,
  binding: Staged['binding'],
  candidate: Version,
  signal: AbortSignal,
): Promise<LoadedCode> {
  const pristine = await unbind(shop, staged, binding, candidate, signal);
  return loadHosted(shop, hosting, pristine, candidate);
}

/** The copy as it was built: its symbols have addresses of this process by now. */
async function unbind(
  shop: Workshop,
  staged: Staged,
  binding: Staged['binding'],
  candidate: Version,
  signal: AbortSignal,
): Promise<Staged> {
  if (!binding?.ok) return staged;
  const { path, hash } = staged;
  const { libraries, origin } = binding;
  const id = shop.nextId as VersionId;
  shop.nextId += 1;
  const restored = await shop.stager.restore(id, { path, hash, libraries, origin }, signal);
  if (restored === null) return staged;
  discard(shop, { path, binding });
  candidate.path = restored.path;
  return restored;
}
