/** Both builds of the kernel, made before anybody asks for a quote. */
import { copyFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { open } from '../../../dist/index.js';
import { applyEdits } from '../../lib/edits.mjs';
import { addDiscount } from '../edits.mjs';

/**
 * @param {object} scratch as `createScratch` gives it
 * @returns {Promise<(turn: number) => void>} puts a build in place as a linker does: a new file instead of the old one
 */
export async function prepareBuilds(scratch, { terminal, signal }) {
  const file = (name) => path.join(scratch.root, `${name}.node`);
  const kernel = await open(scratch.addon, {
    build: 'node-gyp',
    onProgress: ({ step }) => step !== undefined && terminal.status(`  ${step}`),
    signal,
  });
  try {
    copyFileSync(scratch.addon, file('even'));
    scratch.keepBuild();
    applyEdits(scratch.root, addDiscount);
    await kernel.reload();
    copyFileSync(scratch.addon, file('odd'));
  } finally {
    await kernel.close();
    terminal.status('');
  }
  return (turn) => {
    copyFileSync(file(turn % 2 === 0 ? 'even' : 'odd'), file('next'));
    renameSync(file('next'), scratch.addon);
  };
}
