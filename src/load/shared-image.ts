/** What a reload must know of an image that other handles may run too. */
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { Version } from '../version.ts';

/** What a version of the ledger has of the shim where other handles may run its image, too; null for any other. */
export function sharedHandle(version: Version | null): object | null {
  const hold = version?.hold;
  return hold?.kind === 'ledger' && hold.share !== 'alone' ? hold.handle : null;
}

/** How many other handles run the image of a version that has not ended. */
export function countOthers(version: Version, outside: Outside): number {
  const handle = sharedHandle(version);
  return handle === null ? 0 : outside.native.sharedWith(handle);
}

/**
 * Refuses to replace an image that others run by one that each handle would have for itself.
 *
 * @throws `ERR_BUSY`
 */
export function refuseUnshared(version: Version | null, outside: Outside): void {
  if (version === null) return;
  const sharedWith = countOthers(version, outside);
  if (sharedWith > 0) throw errors.busy({ addon: version.source, reason: 'shared', sharedWith });
}

/** From now on it comes along when another handle replaces the image. */
export function serve(version: Version, { native }: Outside): void {
  const handle = sharedHandle(version);
  if (handle !== null) native.serve(handle);
}
