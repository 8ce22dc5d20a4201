/** What binutils and the system's loader say of a file: by other code than ours. */
import { spawnSync } from 'node:child_process';

function run(program: string, args: readonly string[]): string {
  const { stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 * 2 ** 20,
  });
  if (error) throw error;
  return stdout + stderr;
}

/** As `process.arch` has them. */
const MACHINES: Readonly<Record<string, string>> = {
  'Advanced Micro Devices X86-64': 'x64',
  AArch64: 'arm64',
  ARM: 'arm',
};

export interface Readelf {
  readonly arch: string | undefined;
  readonly is64Bit: boolean;
  readonly needed: readonly string[];
  readonly noDelete: boolean;
  readonly staticTls: boolean;
  readonly executableStack: boolean;
  readonly runPath: string | null;
  readonly unique: number;
  /** Names of undefined symbols, without versions. */
  readonly imports: readonly string[];
  readonly defined: readonly string[];
}

const groups = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, group = '']) => group);

export function readelf(file: string): Readelf {
  const text = run('readelf', ['-hdlW', '--dyn-syms', file]);
  const symbols = groups(text, /^ +\d+: ([0-9a-f]{8}.*)$/gm);
  const named = (line: string): string => (line.split(/\s+/)[6] ?? '').replace(/@.*$/, '');
  const isUndefined = (line: string): boolean => line.split(/\s+/)[5] === 'UND';
  return {
    arch: MACHINES[groups(text, /^ +Machine: +(.*)$/gm)[0] ?? ''],
    is64Bit: /^ +Class: +ELF64$/m.test(text),
    needed: groups(text, /\(NEEDED\) +Shared library: \[(.*)\]/g),
    noDelete: /\(FLAGS_1\).*\bNODELETE\b/.test(text),
    staticTls: /\(FLAGS\).*\bSTATIC_TLS\b/.test(text),
    executableStack: /^ +GNU_STACK .* RWE /m.test(text),
    runPath: groups(text, /\((?:RUNPATH|RPATH)\) .*\[(.*)\]/g)[0] ?? null,
    unique: symbols.filter((line) => / UNIQUE /.test(line)).length,
    imports: symbols
      .filter(isUndefined)
      .map(named)
      .filter((name) => name !== ''),
    defined: symbols.filter((line) => !isUndefined(line)).map(named),
  };
}

/** Some 60,000, read once. */
let ofNode: ReadonlySet<string> | undefined;

/** Libraries that the loader does not find for a file of this machine, and symbols that neither they nor Node.js give. */
export function ldd(file: string): {
  readonly missing: readonly string[];
  readonly undefined: readonly string[];
} {
  const text = run('ldd', ['-r', file]);
  ofNode ??= new Set(readelf(process.execPath).defined);
  const given = ofNode;
  return {
    missing: groups(text, /^\s*(\S+) => not found/gm),
    undefined: groups(text, /undefined symbol: ([^\s,]+)/g).filter((name) => !given.has(name)),
  };
}
