/** Makes a staged copy one that can be unloaded. */
import type { SourcePath } from '../brands.ts';
import { errors } from '../errors.ts';
import type { NativeRebound } from '../native.ts';
import type { Options } from '../options.ts';
import type { Outside } from '../outside.ts';
import type { Staged } from './stager.ts';

/** Whether the ledger follows a version, or why it cannot. */
export type Binding =
  | { readonly kind: 'ledger'; readonly rebound: NativeRebound }
  /** `reason` completes "it is kept because". */
  | { readonly kind: 'plain'; readonly reason: string };

/**
 * Rewrites the copy, unless the user or the addon has it otherwise.
 *
 * @throws `ERR_STAGE_IO`
 */
export function rebind(
  { path, binding }: Staged,
  source: SourcePath,
  reclaim: Options['reclaim'],
  outside: Outside,
): Binding {
  if (reclaim === 'never') return { kind: 'plain', reason: 'the option reclaim is "never"' };
  const result = binding ?? outside.native.rebind(path, source);
  if (result.ok) return { kind: 'ledger', rebound: result };
  if (result.kind === 'refused') return { kind: 'plain', reason: result.reason };
  const { operation, errno } = result;
  throw errors.stageIo({ addon: source, path: result.path, operation, errno });
}
