// node .ci/prebuild.mjs [from] [to]: makes the shim that goes into the package out of the one that was compiled here:
// without names that only debuggers look at, and refused when it would not load on the oldest systems that we promise.
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const built = path.join(root, 'build/Release/napi_reload.node');
const place = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'napi_reload.node');
const [from = built, to = place] = process.argv.slice(2);

/**
 * The newest that is there: glibc of Debian 10 and RHEL 8, libstdc++ and libgcc of GCC 8. Node.js 20 asks for the same.
 *
 * @type {Record<string, string>}
 */
const NEWEST = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '7.0.0' };

/** @param {string} a @param {string} b @returns whether version `a`, such as `2.34`, came after `b` */
function isNewer(a, b) {
  return a.localeCompare(b, 'en', { numeric: true }) > 0;
}

const said = execFileSync('objdump', ['-T', from], { encoding: 'utf8' });
const imports = [...said.matchAll(/\*UND\*.*\((\w+?)_([\d.]+)\) +(\S+)$/gm)];
const refused = imports.filter(([, library = '', version = '']) => isNewer(version, NEWEST[library] ?? '0'));
if (imports.length === 0 || refused.length > 0) {
  const names = refused.map(([, library, version, name]) => `${name} (${library}_${version})`).join(', ');
  console.error(
    `prebuild: ${from} asks for ${names || 'nothing that can be read'}, which old systems lack: see native/old_systems.h`,
  );
  process.exit(1);
}
mkdirSync(path.dirname(to), { recursive: true });
// Whoever loads or packs it meanwhile has the one before, whole.
const partial = `${to}.${process.pid}`;
execFileSync('strip', ['--strip-unneeded', '-o', partial, from]);
renameSync(partial, to);
