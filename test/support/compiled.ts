/** src/ as JavaScript, for tests whose subject runs in a child process. Compiled once for each content. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/napi-reload-test');

/** What of the repository lies beside dist/ in the package, too. */
const LINKED: readonly string[] = ['build', 'native', 'package.json'];

/**
 * Compiles what src/ holds now, unless that was done before. Types are not looked at: `npm run types` does that.
 *
 * @returns absolute folder with `index.js` and the rest; the one above it is the package, with all that it has at run
 * time
 */
export function compiledSource(): string {
  const folder = path.join(CACHE, hashOf(path.join(ROOT, 'src')));
  const dist = path.join(folder, 'dist');
  if (fs.existsSync(dist)) return dist;
  fs.mkdirSync(CACHE, { recursive: true });
  const scratch = fs.mkdtempSync(path.join(CACHE, 'new-'));
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
  const out = path.join(scratch, 'dist');
  const flags = ['--noCheck', '--outDir', out];
  execFileSync(process.execPath, [tsc, '-p', path.join(ROOT, 'tsconfig.build.json'), ...flags], {
    stdio: 'pipe',
  });
  // Relative, and so still this tree's when the tree is copied.
  for (const name of LINKED) {
    fs.symlinkSync(path.relative(folder, path.join(ROOT, name)), path.join(scratch, name));
  }
  publish(scratch, folder);
  return dist;
}

/** @returns what `import()` takes for a module of {@link compiledSource}, such as `watch/watcher.js` */
export function compiledUrl(module: string): string {
  return pathToFileURL(path.join(compiledSource(), module)).href;
}

/** Another test file may have compiled the same meanwhile; then its result stands. */
function publish(scratch: string, folder: string): void {
  try {
    fs.renameSync(scratch, folder);
  } catch (error) {
    fs.rmSync(scratch, { recursive: true });
    if (!fs.existsSync(folder)) throw error;
  }
}

function hashOf(folder: string): string {
  const hash = createHash('sha256').update(LINKED.join());
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(folder, file)))
      .update('\0');
  }
  return hash
    .update(fs.readFileSync(path.join(ROOT, 'tsconfig.json')))
    .digest('hex')
    .slice(0, 16);
}
