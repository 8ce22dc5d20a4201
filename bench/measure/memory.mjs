// What a process and those below it hold: mappings, and bytes of memory.
import { readFileSync } from 'node:fs';
import { treeOf } from './tree.mjs';

/** @typedef {{ mappings: number, bytes: number }} Held */

/**
 * Bytes count by their share, as pages may be those of several processes (`Pss` of proc_pid_smaps(5)). What is mapped of files
 * outside of the folder counts only where it was written to: the pages of Node.js itself are shared with every other Node.js of
 * the machine, and each that comes or goes would be seen here.
 *
 * @param {number} root a process, with all below it @param {string} folder of the copies that are loaded @returns {Held}
 */
export function heldBy(root, folder) {
  const all = treeOf(root).map((pid) => heldByOne(pid, folder));
  const sum = (/** @type {keyof Held} */ key) => all.reduce((total, held) => total + held[key], 0);
  return { mappings: sum('mappings'), bytes: sum('bytes') };
}

/** The first line of a mapping: addresses, permissions, offset, device, inode, path. */
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/;
const AMOUNT = /^(Pss|Anonymous): +(\d+) kB$/;

/** @param {string} pid @param {string} folder @returns {Held} */
function heldByOne(pid, folder) {
  const held = { mappings: 0, bytes: 0 };
  let counted = '';
  for (const line of readSmaps(pid).split('\n')) {
    const file = MAPPING.exec(line)?.[1];
    if (file !== undefined) {
      held.mappings += 1;
      const isFileElsewhere =
        file.startsWith('/') && !file.startsWith('/memfd:') && !file.startsWith(`${folder}/`);
      counted = isFileElsewhere ? 'Anonymous' : 'Pss';
    }
    const [, kind, kibibytes] = AMOUNT.exec(line) ?? [];
    if (kind === counted) held.bytes += Number(kibibytes) * 1024;
  }
  return held;
}

/** @param {string} pid @returns nothing of a process that has ended */
function readSmaps(pid) {
  try {
    return readFileSync(`/proc/${pid}/smaps`, 'latin1');
  } catch {
    return '';
  }
}
