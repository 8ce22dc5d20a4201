/** Makes a staged copy one that can be unloaded. */
import type { SourcePath } from '../brands.ts';
import type { NativeRebound } from '../native.ts';
import type { Options } from '../options.ts';
import type { Here } from '../here.ts';
import { foreignError, incompleteError, ioError } from './refusals.ts';
import type { Staged } from './stager.ts';

/** Whether the ledger follows a version, or why it cannot. */
export type Binding =
  | { readonly kind: 'ledger'; readonly rebound: NativeRebound }
  /** `reason` completes "it is kept because". */
  | { readonly kind: 'plain'; readonly reason: string };

/**
 * Rewrites the copy, unless the user or the addon has it otherwise.
 *
 * @throws `ERR_STAGE_IO`, `ERR_STAGE_INCOMPLETE`, `ERR_LOAD_FAILED`
 */
export function rebind(
  { path, binding, libraries, kept }: Staged,
  source: SourcePath,
  reclaim: Options['reclaim'],
  outside: Here,
): Binding {
  if (reclaim === 'never') return { kind: 'plain', reason: 'the option reclaim is "never"' };
  const result =
    binding ??
    outside.native.rebind(
      path,
      source,
      libraries.map(({ hash }) => hash),
      kept ?? null,
    );
  if (result.ok) return { kind: 'ledger', rebound: result };
  switch (result.kind) {
    case 'refused':
      return { kind: 'plain', reason: result.reason };
    case 'incomplete':
      throw incompleteError(source, result, 0);
    case 'foreign':
      throw foreignError(source, result);
    case 'io':
      throw ioError(source, result);
  }
}
