/** What `reload()` and `rollback()` take. */
import { asRecord, flag, invalid, onlyKeys, wholeNumber } from './option-checks.ts';

/** What `reload()` takes. */
export interface ReloadOptions {
  /** Load the same bytes again as a new version. @defaultValue false */
  readonly force?: boolean;
  /** Start the new version without the old one's state. @defaultValue false */
  readonly discardState?: boolean;
  /** Go to this version, one of `history()`, instead of what is built. Nothing is built then. @defaultValue none */
  readonly to?: number;
}

/** What `rollback()` takes. */
export type RollbackOptions = Pick<ReloadOptions, 'discardState'>;

export interface ResolvedReload {
  readonly force: boolean;
  readonly discardState: boolean;
  readonly to: number | null;
}

/**
 * Checks what `reload()` was given.
 *
 * @throws `ERR_INVALID_OPTION`
 */
export function resolveReloadOptions(given: unknown = {}): ResolvedReload {
  const options = asRecord(given, 'reload options');
  onlyKeys('reload', options, ['force', 'discardState', 'to']);
  return {
    force: flag('reload.force', options['force']),
    discardState: flag('reload.discardState', options['discardState']),
    to: wholeNumber('reload.to', options['to'], 1) ?? null,
  };
}

/**
 * Checks what `reload()` of a group was given: ids are those of a member.
 *
 * @throws `ERR_INVALID_OPTION`
 */
export function resolveGroupReload(given: unknown = {}): ResolvedReload {
  const resolved = resolveReloadOptions(given);
  if (resolved.to !== null) {
    invalid(
      'reload.to',
      String(resolved.to),
      'no version: ids are those of a member, which has a reload() of its own',
    );
  }
  return resolved;
}

/**
 * Checks what `rollback()` was given.
 *
 * @throws `ERR_INVALID_OPTION`
 */
export function resolveRollback(given: unknown = {}): Required<RollbackOptions> {
  const options = asRecord(given, 'rollback options');
  onlyKeys('rollback', options, ['discardState']);
  return { discardState: flag('rollback.discardState', options['discardState']) };
}
