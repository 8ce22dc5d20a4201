/** Depfiles: what a compiler says that it read, in the syntax of make. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { isFile, readText, walk } from './files.ts';

/** What compilers call them. */
const DEPFILE = /\.d$/;

/**
 * Reads the prerequisites of every rule in `text`.
 *
 * Knows backslash-newline, `\ ` and `\#` and `$$`. A line with `:=`, which gyp puts first, is no rule.
 */
export function parseDepfile(text: string): readonly string[] {
  const files = new Set<string>();
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const words = splitMakeWords(line);
    // A target ends in a colon of its own or glued to it; Windows drives do not occur here.
    const colon = words.findIndex((word) => word.endsWith(':'));
    if (colon === -1 || line.includes(':= ')) continue;
    for (const word of words.slice(colon + 1)) files.add(word);
  }
  return [...files];
}

/** Words of a line of make: separated by blanks, of which `\ ` is none. */
export function splitMakeWords(line: string): readonly string[] {
  const words = line.match(/(?:\\[\s\S]|[^\s\\])+/g) ?? [];
  return words.map((word) => word.replace(/\\([ #:])/g, '$1').replaceAll('$$', '$'));
}

/**
 * Files named by all depfiles (`*.d`) below `folder`.
 *
 * @param bases absolute folders that a relative name may start from; the first under which the file exists is taken
 * @returns absolute paths of files that exist
 */
export async function readDepfiles(
  outside: Outside,
  folder: string,
  bases: readonly string[],
): Promise<ReadonlySet<string>> {
  const depfiles = await walk(outside, folder, { enters: () => true, wants: (file) => DEPFILE.test(file) });
  const names = new Set<string>();
  for (const depfile of depfiles ?? []) {
    for (const name of parseDepfile((await readText(outside, depfile)) ?? '')) names.add(name);
  }
  const found = new Set<string>();
  for (const name of names) {
    for (const base of bases) {
      const file = path.resolve(base, name);
      if (!(await isFile(outside, file))) continue;
      found.add(file);
      break;
    }
  }
  return found;
}
