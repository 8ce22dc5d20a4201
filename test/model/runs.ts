/** How much the models do: a little in `npm test`, what MODEL_RUNS says in `npm run test:model`. */

/** Lists of commands for each seed. */
export const RUNS: number = Number(process.env['MODEL_RUNS'] ?? 50);
export const FIXED_SEED = 20_241_122;
/** A diagnosis of a run that hangs. */
export const RUN_MAX_MS: number = 60_000 + RUNS * 1_000;
