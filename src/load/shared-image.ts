/** What a reload must know of an image that other handles may run too. */
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { Version } from '../version.ts';

/** The right to replace an image that nobody else runs. */
export interface Claim {
  /** `replaced`: the new version serves; nobody joins the old one's image any more, and others may join the new one's. */
  end(replacement: Version | null): void;
}

/**
 * Refuses early what {@link claimImage} would refuse: it may be joined in between.
 *
 * @throws `ERR_BUSY`
 */
export function refuseShared(version: Version | null, outside: Outside): void {
  const others = version === null ? 0 : countOthers(version, outside);
  if (version !== null && others > 0) throw busy(version, others);
}

/** How many other handles run the image of a version that has not ended. */
export function countOthers({ hold }: Version, outside: Outside): number {
  return hold?.kind === 'ledger' && hold.share !== 'alone' ? outside.native.sharedWith(hold.handle) : 0;
}

/**
 * Keeps others from joining the image of the version that is about to be replaced.
 *
 * @throws `ERR_BUSY` when one did
 */
export function claimImage(version: Version | null, { native }: Outside): Claim {
  const hold = version?.hold;
  if (version === null || hold?.kind !== 'ledger' || hold.share === 'alone') return { end: () => undefined };
  const others = native.claim(hold.handle);
  if (others > 0) throw busy(version, others);
  return {
    end(replacement) {
      // First: between the two, whoever wants to join finds the claim, and asks again.
      if (replacement?.hold?.kind === 'ledger') native.list(replacement.hold.handle);
      native.endClaim(hold.handle, replacement !== null);
    },
  };
}

function busy({ source }: Version, sharedWith: number): Error {
  return errors.busy({ addon: source, reason: 'shared', sharedWith });
}
