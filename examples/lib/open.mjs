/** Builds and opens the kernel of a scratch copy, as anybody would. */
import { open } from '../../dist/index.js';

/**
 * @param {object} scratch as `createScratch` gives it; the objects of the build are kept for the next run
 * @param {{ terminal: object, signal: AbortSignal, migrate?: object }} parts
 * @returns {Promise<{ kernel: import('napi-reload').Addon, openMs: number }>}
 */
export async function openScratch(scratch, { terminal, signal, migrate = {} }) {
  const startMs = performance.now();
  let opened = false;
  const kernel = await open(scratch.addon, {
    build: 'node-gyp',
    watch: true,
    migrate,
    onProgress: ({ phase, step }) => {
      if (opened || step === undefined) return;
      if (terminal.live) terminal.status(`  ${phase}: ${step}`);
      else if (!scratch.warm) terminal.print(`  ${phase}: ${step}`);
    },
    signal,
  }).finally(() => terminal.status(''));
  opened = true;
  scratch.keepBuild();
  return { kernel, openMs: performance.now() - startMs };
}
