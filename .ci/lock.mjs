// `npm run lock`: makes package-lock.json fit any machine and registry.
//
// 1. Addresses are taken out, so that it serves with any registry. npm's own option for this
//    (omit-lockfile-registry-resolved) drops packages of other platforms as well.
// 2. Packages of other platforms that npm left out, as a registry may lack some, are entered by name and version:
//    `npm ci` insists on an entry, and never fetches one for another platform.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

/** @param {string} name such as `@biomejs/cli-linux-x64-musl` */
function platformOf(name) {
  const match = /-(android|darwin|freebsd|linux|openharmony|win32)-(\w+?)(?:-(\w+))?$/.exec(name);
  if (match === null) throw new Error(`no platform in the name of the optional package "${name}"`);
  const [, os, cpu, abi] = match;
  return { os: [os], cpu: [cpu], ...(abi === 'musl' ? { libc: ['musl'] } : {}) };
}

for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    lock.packages[`node_modules/${name}`] ??= { version, dev: true, optional: true, ...platformOf(name) };
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
