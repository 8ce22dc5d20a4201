import os from 'node:os';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { SlowFirst } from './test/support/slow-first.ts';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/*/*.test.mjs'],
    // Native code runs here: a crash must take one file with it, not the run.
    pool: 'forks',
    // Tests start compilers and other processes: with one worker more, all of it took longer.
    maxWorkers: os.availableParallelism(),
    sequence: { sequencer: SlowFirst },
    // A diagnosis, not a measure: tests wait for events, and a machine under load is slow.
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});

export default config;
