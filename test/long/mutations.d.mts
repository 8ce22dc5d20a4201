export interface MutationReport {
  readonly mutations: number;
  readonly seed: number;
  /** How many came to `loaded`, and to each code of a ReloadError. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** What ended a process, or threw something else than a ReloadError. */
  readonly findings: readonly unknown[];
}

/** @param library index.js of this package; that in dist/ by default */
export function runMutations(count: number, seed: number, library?: string): Promise<MutationReport>;
