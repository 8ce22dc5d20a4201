/**
 * Edits of a source, as a developer makes them: exact text to find, and what to put there.
 *
 * @typedef {{ file: string, find: string, replace: string }} Edit
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The same edits backwards.
 *
 * @param {readonly Edit[]} edits
 * @returns {readonly Edit[]}
 */
export function reversed(edits) {
  return edits.map(({ file, find, replace }) => ({ file, find: replace, replace: find })).reverse();
}

/**
 * Makes all of the edits below `root`, or none. The files are written in one go, as an editor's "save all" does, so
 * that a watcher sees one change.
 *
 * @param {string} root
 * @param {readonly Edit[]} edits
 * @throws when a text is not there exactly once: the source is another one than the edit was written for
 */
export function applyEdits(root, edits) {
  const texts = new Map();
  for (const { file, find, replace } of edits) {
    const parts = (texts.get(file) ?? readFileSync(path.join(root, file), 'utf8')).split(find);
    if (parts.length !== 2) {
      throw new Error(
        `Cannot edit ${JSON.stringify(file)}: found ${JSON.stringify(find)} ${parts.length - 1} times, wanted it once`,
      );
    }
    texts.set(file, parts.join(replace));
  }
  for (const [file, text] of texts) writeFileSync(path.join(root, file), text);
}
