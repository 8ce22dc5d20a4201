/** What kept the shim from being compiled, as node-gyp, make and the compiler print it. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface CompileFailure {
  readonly found: string;
  readonly advice: string;
}

const THEN = 'run "npx napi-reload setup"';

/** By whom packages are installed here, in the order in which they are looked for. */
const INSTALLERS: ReadonlyMap<string, string> = new Map([
  ['apt-get', 'apt-get install python3 make g++'],
  ['dnf', 'dnf install python3 make gcc-c++'],
  ['zypper', 'zypper install python3 make gcc-c++'],
  ['pacman', 'pacman -S python make gcc'],
]);

function installTools(): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const isThere = (program: string): boolean =>
    folders.some((folder) => fs.existsSync(path.join(folder, program)));
  const command = [...INSTALLERS].find(([program]) => isThere(program))?.[1];
  return command === undefined
    ? 'install python3, make and a C++17 compiler'
    : `install what it needs, such as by "${command}"`;
}

/** What is said of each cause; the first that the output shows. */
const CAUSES: readonly (readonly [RegExp, (match: RegExpExecArray) => CompileFailure])[] = [
  [
    /No space left on device|ENOSPC/,
    () => ({
      found: `there is no room left in ${os.tmpdir()}`,
      advice: `make room there, or set TMPDIR, and ${THEN}`,
    }),
  ],
  [
    /Could not find any Python installation/,
    () => ({ found: 'node-gyp found no Python', advice: `${installTools()}, and ${THEN}` }),
  ],
  [
    /not found: (make|gmake)\b/,
    () => ({ found: 'node-gyp found no make', advice: `${installTools()}, and ${THEN}` }),
  ],
  [
    /(?:make: |: )(g\+\+|c\+\+|gcc|cc|clang\+\+): (?:No such file or directory|not found|command not found)/,
    ([, compiler = '']) => ({ found: `make found no ${compiler}`, advice: `${installTools()}, and ${THEN}` }),
  ],
  [
    /\b(getaddrinfo \w+ [\w.-]+|connect E\w+ [\w.:[\]]+|network (?:timeout|socket hang up)[^\n]*)/,
    ([, what = '']) => ({
      found: `the headers of Node.js could not be downloaded (${what})`,
      advice: `install them beside Node.js, or name a folder with include/node in npm_config_nodedir, and ${THEN}`,
    }),
  ],
  [
    /^\S+:\d+:\d+: (?:fatal )?error: [^\n]+/m,
    ([line]) => ({
      found: `the compiler said ${JSON.stringify(line)}`,
      advice: `use a compiler of C++17, such as g++ 10, and ${THEN}; details.output has more of it`,
    }),
  ],
];

/** @param ending how node-gyp ended, for what says no more */
export function explainFailure(output: string, ending: string): CompileFailure {
  for (const [pattern, explain] of CAUSES) {
    const match = pattern.exec(output);
    if (match !== null) return explain(match);
  }
  return { found: ending, advice: `${installTools()}, and ${THEN}; details.output has what it printed` };
}
