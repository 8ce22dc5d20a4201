/**
 * A bound on versions that stay in memory. A process that goes past the kernel's limit of mappings
 * (`vm.max_map_count`, 65,530) is ended by an allocation failure that nobody can catch, so reloads stop well before.
 */
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';

const KEPT_WARN = 1_000;
const MAPPINGS_WARN = 20_000;
const MAPPINGS_MAX = 40_000;
/** Counting reads all of /proc/self/maps, so in between the count goes on by what we load ourselves. */
const RECOUNT_EVERY_LOADS = 64;
/** Nearer to the limit than this part of it, every load counts anew. */
const RECOUNT_ABOVE = 0.95;

export interface Budget {
  /**
   * Room for one more image.
   *
   * @returns what to warn of, once for each limit that is passed, or null
   * @throws `ERR_VERSION_BUDGET` when the process would come too near to the kernel's limit
   */
  admit(mappings: number, addon: string): string | null;
  /** One more image stays for good. */
  keep(): void;
  /** An image has left. */
  release(mappings: number): void;
}

export interface BudgetLimits {
  readonly keptWarn: number;
  readonly mappingsWarn: number;
  readonly mappingsMax: number;
}

export function createBudget(
  outside: Pick<Outside, 'native'>,
  limits: BudgetLimits = { keptWarn: KEPT_WARN, mappingsWarn: MAPPINGS_WARN, mappingsMax: MAPPINGS_MAX },
): Budget {
  let counted = 0;
  let loadsSinceCount = RECOUNT_EVERY_LOADS;
  let kept = 0;
  const warned = { kept: false, mappings: false };

  const estimate = (added: number): number => {
    const near = counted + added > limits.mappingsMax * RECOUNT_ABOVE;
    if (near || ++loadsSinceCount > RECOUNT_EVERY_LOADS) {
      counted = outside.native.countMappings();
      loadsSinceCount = 0;
    }
    counted += added;
    return counted;
  };

  return {
    admit(added, addon) {
      const mappings = estimate(added);
      if (mappings > limits.mappingsMax) {
        throw errors.versionBudget({ addon, mappings, mappingsMax: limits.mappingsMax, keptVersions: kept });
      }
      const keptPassed = kept >= limits.keptWarn && !warned.kept;
      const mappingsPassed = mappings > limits.mappingsWarn && !warned.mappings;
      if (!keptPassed && !mappingsPassed) return null;
      warned.kept ||= keptPassed;
      warned.mappings ||= mappingsPassed;
      return `${kept} kept versions and ${mappings} memory mappings; reloads stop at ${limits.mappingsMax} mappings: restart the process before`;
    },
    keep() {
      kept += 1;
    },
    release(mappings) {
      counted -= mappings;
    },
  };
}
