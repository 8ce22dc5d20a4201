/** The user's say in what may be loaded at all. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { errors } from '../errors.ts';
import type { Options } from '../options.ts';
import type { Outside } from '../outside.ts';
import type { Staged } from './stager.ts';

/**
 * Checks the staged copy, which nobody else can write to, rather than the source, which may change after the look.
 *
 * @throws `ERR_INTEGRITY` when the bytes are not what the option allows, or the user's function threw; `ERR_STAGE_IO`
 */
export async function checkIntegrity(
  staged: Staged,
  wanted: Options['integrity'],
  outside: Outside,
): Promise<void> {
  if (wanted === null) return;
  const bytes = await outside.readFile(staged.path).catch((cause: NodeJS.ErrnoException) => {
    throw errors.stageIo({ path: staged.path, operation: 'read', errno: cause.code ?? 'unknown' }, cause);
  });
  if (typeof wanted === 'string') checkDigest(bytes, wanted, staged.path);
  else checkByFunction(bytes, wanted, staged.path);
}

/** Form of the string: https://www.w3.org/TR/SRI/#the-integrity-attribute */
function checkDigest(bytes: Uint8Array, wanted: string, path: string): void {
  const dash = wanted.indexOf('-');
  const algorithm = wanted.slice(0, dash);
  const digest = createHash(algorithm).update(bytes).digest();
  const expected = Buffer.from(wanted.slice(dash + 1), 'base64');
  if (digest.length === expected.length && timingSafeEqual(digest, expected)) return;
  throw errors.integrity({ path, wanted, found: `${algorithm}-${digest.toString('base64')}` });
}

function checkByFunction(bytes: Uint8Array, allows: (bytes: Uint8Array) => boolean, path: string): void {
  let answer: unknown;
  try {
    answer = allows(bytes);
  } catch (cause) {
    throw errors.integrity(
      { path, wanted: 'true from the integrity function', found: 'an exception' },
      cause,
    );
  }
  if (answer === true) return;
  throw errors.integrity({ path, wanted: 'true from the integrity function', found: typeof answer });
}
