// Keeps declarations out of the package that no type of it leads to: they are most of all declarations, and nobody reads them.
// Writes dist/.npmignore, which `npm pack` reads.
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');

/** What a declaration leads to: imports, and types that are imported where they stand. */
const SPECIFIER = /(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)\.[jt]s['"]/g;

/** @param {readonly string[]} entries declarations @returns {Set<string>} those and what they lead to */
export function reachable(entries) {
  const found = new Set(entries);
  for (const file of found) {
    for (const [, specifier = ''] of fs.readFileSync(file, 'utf8').matchAll(SPECIFIER)) {
      const target = path.resolve(path.dirname(file), `${specifier}.d.ts`);
      // Examples in comments import files of whoever reads them.
      if (fs.existsSync(target)) found.add(target);
    }
  }
  return found;
}

/** The declarations that package.json names. @returns {string[]} */
export function entryDeclarations() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  return Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [path.join(root, types)]));
}

if (process.argv[1] === import.meta.filename) {
  const needed = reachable(entryDeclarations());
  const all = fs
    .readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts') && !needed.has(path.join(dist, name)));
  const lines = all.toSorted().map((name) => `/${name}\n`);
  const list = path.join(dist, '.npmignore');
  // Whoever packs meanwhile reads the one before, whole.
  fs.writeFileSync(`${list}.${process.pid}`, lines.join(''));
  fs.renameSync(`${list}.${process.pid}`, list);
}
