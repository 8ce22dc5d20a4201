/** The headers for addon authors, as a compiler sees them, and addons that use all of them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { include } from '../../../src/headers.ts';
import { FIXTURES, NODE_INCLUDE } from '../../support/addons.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const CACHE = path.join(ROOT, 'node_modules/.cache/napi-reload-test');
const WITHOUT_EXCEPTIONS: readonly string[] = ['-fno-exceptions', '-DNAPI_DISABLE_CPP_EXCEPTIONS'];

/** What nobody should have to turn off for these headers. */
export const WARNINGS: readonly string[] = [
  '-Wall',
  '-Wextra',
  '-Wpedantic',
  '-Wconversion',
  '-Wsign-conversion',
  '-Wshadow',
  '-Wundef',
  '-Wcast-qual',
  '-Werror',
];

/** Folders of others' headers, whose warnings are theirs. */
const OTHERS: readonly string[] = ['-isystem', NODE_INCLUDE];
const NODE_ADDON_API: readonly string[] = ['-isystem', path.join(ROOT, 'node_modules/node-addon-api')];

export interface Compiled {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param flags with the source among them */
export function compile(compiler: string, flags: readonly string[]): Compiled {
  const args = [`-I${include}`, ...OTHERS, ...NODE_ADDON_API, '-DNODE_GYP_MODULE_NAME=addon', ...flags];
  const { status, stdout, stderr, error } = spawnSync(compiler, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** A way to write an addon; the same tests hold for all of them. */
export interface Flavour {
  readonly name: string;
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly source: string;
}

export const FLAVOURS: readonly Flavour[] = [
  { name: 'C', compiler: 'gcc', flags: ['-std=c99'], source: 'hooks.c' },
  { name: 'C++', compiler: 'g++', flags: ['-std=c++17'], source: 'hooks.cc' },
  {
    name: 'C++ without exceptions',
    compiler: 'g++',
    flags: ['-std=c++17', ...WITHOUT_EXCEPTIONS],
    source: 'hooks.cc',
  },
];

/** @param step what its `add` multiplies by: another one is another version @returns path of the addon */
export function buildFlavour({ compiler, flags, source }: Flavour, step = 1): string {
  const file = path.join(FIXTURES, 'headers', source);
  const all = [...WARNINGS, ...flags, '-DNAPI_VERSION=8', `-DSTEP=${step}`, '-fPIC', '-shared'];
  const hash = createHash('sha256')
    .update([compiler, ...all].join('\0'))
    .update(fs.readFileSync(file));
  for (const header of headerFiles()) hash.update(fs.readFileSync(header));
  const output = path.join(CACHE, `${hash.digest('hex').slice(0, 32)}.node`);
  if (fs.existsSync(output)) return output;
  fs.mkdirSync(CACHE, { recursive: true });
  const partial = `${output}.${process.pid}`;
  const { status, stderr } = compile(compiler, [...all, file, '-o', partial]);
  if (status !== 0) throw new Error(`${compiler} failed: ${stderr}`);
  fs.renameSync(partial, output);
  return output;
}

/** @returns each header that the package has */
export function headerFiles(): readonly string[] {
  return fs
    .readdirSync(include, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(h|hpp)$/.test(name))
    .map((name) => path.join(include, name))
    .sort();
}

/** What the fixtures export. */
export interface Everything {
  add(value: number): number;
  calls(): readonly string[];
  readonly Counter: new (value: number) => { value(): number };
  look(context: object): Record<string, unknown>;
  lookPlain(): Record<string, unknown>;
  makePlain(): object;
  /** Adds 1 to the first of so many doubles in memory of that name. */
  useMemory(context: object, name: string, count: number, grows?: boolean): UsedMemory;
  define(target: object, twice?: boolean): void;
  readonly napiReload: HookObject;
}

export interface UsedMemory {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly isAligned: boolean;
}

export interface HookObject {
  readonly schema: number;
  readonly accepts: readonly number[];
  prepare(context: object): Promise<unknown>;
  init(context: object): void;
  save(): unknown;
  dispose(): void;
  resume(): void;
  readonly classes: Record<string, ClassHooks>;
}

interface ClassHooks {
  save(instance: object): unknown;
  args(state: unknown): readonly unknown[];
  restore(instance: object, state: unknown): void;
}

const require = createRequire(import.meta.url);

/** Loads it as any program would: a plain `require()`, each time as if for the first time. */
export function requireAnew(file: string): Everything {
  delete require.cache[file];
  return require(file) as Everything;
}
