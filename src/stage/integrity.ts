/** The user's say in what may be loaded at all. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { SourcePath } from '../brands.ts';
import { errors } from '../errors.ts';
import type { IntegrityFunction, Options } from '../options.ts';
import type { Outside } from '../outside.ts';
import type { Binding } from './rebind.ts';
import type { Staged } from './stager.ts';

/**
 * Checks the staged copy, which nobody else can write to, rather than the source, which may change after the look. Its
 * private libraries have no copies yet: what is asked about are the bytes that have the hash to stage them by, or, of a
 * version that is staged once more, those that it had.
 *
 * @throws `ERR_INTEGRITY` when the bytes are not what the option allows, or the user's function threw; `ERR_STAGE_IO`,
 * `ERR_STAGE_INCOMPLETE`
 */
export function checkIntegrity(
  staged: Staged,
  source: SourcePath,
  wanted: Options['integrity'],
  outside: Outside,
): void {
  if (wanted === null) return;
  const bytes = read(staged.path, outside);
  if (typeof wanted === 'string') {
    checkDigest(bytes, wanted, staged.path);
    for (const library of staged.libraries) refuseUnnamed(library.source, wanted);
    return;
  }
  checkByFunction(bytes, wanted, source);
  for (const [index, library] of staged.libraries.entries()) {
    const code = readLibrary(staged, index, library.source, outside);
    if (createHash('sha256').update(code).digest('hex') !== library.hash) {
      const found = 'it changed while it was staged';
      throw errors.stageIncomplete({ addon: source, path: library.source, found, waitedMs: 0 });
    }
    checkByFunction(code, wanted, library.source);
  }
}

/**
 * A library that is loaded where it lies may be another by then.
 *
 * @throws `ERR_INTEGRITY` when integrity is wanted of one that the ledger cannot follow
 */
export function checkLoadedInPlace(
  { libraries }: Staged,
  wanted: Options['integrity'],
  binding: Binding,
): void {
  const [first] = libraries;
  if (wanted === null || binding.kind === 'ledger' || first === undefined) return;
  const found = `a private library that cannot be copied first: ${binding.reason}`;
  throw errors.integrity({ path: first.source, wanted: 'bytes that nobody else can change', found });
}

/** One that is loaded where it lies is asked about there, also for a version that is staged once more. */
function readLibrary({ kept }: Staged, index: number, source: string, outside: Outside): Uint8Array {
  if (kept === undefined || kept.origin === null) return read(source, outside);
  const bytes = outside.native.keptLibrary(kept, index);
  if (bytes instanceof Uint8Array) return bytes;
  throw errors.stageIo({ path: bytes.path, operation: bytes.operation, errno: bytes.errno });
}

function read(path: string, outside: Outside): Uint8Array {
  try {
    return outside.readNow(path);
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw errors.stageIo({ path, operation: 'read', errno }, cause);
  }
}

/** A digest names the addon's bytes, and those say nothing of its libraries' bytes. */
function refuseUnnamed(path: string, wanted: string): never {
  const found = `a private library, of which ${wanted} says nothing; give a function instead`;
  throw errors.integrity({ path, wanted: 'no private libraries', found });
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

function checkByFunction(bytes: Uint8Array, allows: IntegrityFunction, path: string): void {
  let answer: unknown;
  try {
    answer = allows(bytes, path);
  } catch (cause) {
    throw errors.integrity(
      { path, wanted: 'true from the integrity function', found: 'an exception' },
      cause,
    );
  }
  if (answer === true) return;
  throw errors.integrity({ path, wanted: 'true from the integrity function', found: typeof answer });
}
