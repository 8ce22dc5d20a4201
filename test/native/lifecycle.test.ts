/**
 * One process for each way in which a reload can fail: v1 serves, v2 is refused, v1 serves on, v3 takes over. The whole
 * trace is compared, of the addons as of the script, and that the process ended by itself and well.
 */
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/index.ts';
import { createScratch } from '../support/addons.ts';
import { traceAddon, traceOf } from './trace.ts';

const SCRIPT = (edit: string, mend: string): string => `
  make('cp "$PWD/v1.node" kernel.node');
  for (const name of Object.keys(plan.builds)) fs.copyFileSync(plan.builds[name], plan.folder + '/' + name + '.node');
  install('v1');
  const addon = await openAddon();
  const { increment } = addon.exports;
  increment();
  ${edit}
  await reload(addon);
  increment();
  ${mend}
  await reload(addon);
  increment();
  await close(addon);
  sayStaged();
`;

const OPEN = ['v1 mapped', 'v1 module init', 'v1 prepare', 'v1 init 0', 'v1 save 0', 'opened'];
const V2_LOADED = ['v2 mapped', 'v2 module init'];
const TAKE_OVER = [
  'v3 mapped',
  'v3 module init',
  'v3 prepare',
  'v1 save 2',
  'v3 init 2',
  'v3 save 2',
  'v1 dispose',
  'v1 unmapped',
  'reloaded carried',
];
const END = ['v3 increment 3', 'v3 dispose', 'v3 unmapped', 'closed', 'staged 0 directories, copies: none'];

interface Failure {
  readonly name: string;
  /** Macros of each version. */
  readonly v1?: readonly string[];
  readonly v2?: readonly string[];
  /** Puts v2, or what is wrong, in place. @defaultValue `install('v2')` */
  readonly edit?: string;
  readonly mend?: string;
  readonly options?: Omit<OpenOptions, 'build'> & { readonly build?: boolean };
  /** What the refused reload prints, from the first line of v2 to the outcome. */
  readonly trace: readonly string[];
  /** Lines of the good reload that differ from the usual ones. */
  readonly takeOver?: readonly string[];
}

const build = { build: true };
const mend = `make('cp v3.node next.node && mv next.node kernel.node');`;
const truncated = `install('v2'); fs.truncateSync(file, 6_000); fs.utimesSync(file, 1, 1);`;
const otherMachine = `install('v2'); const bytes = fs.readFileSync(file);
  bytes.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18); fs.writeFileSync(file, bytes);`;

const failures: Failure[] = [
  {
    name: 'build, by a compiler error',
    options: build,
    edit: `fs.writeFileSync(plan.folder + '/kernel.c', 'int main( {'); make('gcc -shared kernel.c -o kernel.node');`,
    mend,
    trace: ['refused ERR_BUILD_FAILED exit'],
  },
  {
    name: 'build, by a command that hangs',
    options: { build: true, buildTimeoutMs: 1_500 },
    edit: `make('sleep 1000 & sleep 1000');`,
    mend,
    trace: ['refused ERR_BUILD_FAILED timeout'],
  },
  {
    name: 'build, by a command that is gone',
    options: build,
    edit: `fs.rmSync(plan.folder + '/make');`,
    mend,
    trace: ['refused ERR_BUILD_FAILED spawn'],
  },
  {
    name: 'build, by a command that crashes',
    options: build,
    edit: `make('kill -SEGV $$');`,
    mend,
    trace: ['refused ERR_BUILD_FAILED signal'],
  },
  {
    name: 'build, by an addon that is not written',
    options: build,
    edit: `make('rm kernel.node');`,
    mend,
    trace: ['refused ERR_BUILD_FAILED missing'],
  },
  { name: 'stage, by half a file', edit: truncated, trace: ['refused ERR_STAGE_INCOMPLETE'] },
  { name: 'stage, by no file', edit: 'fs.rmSync(file);', trace: ['refused ERR_NOT_FOUND'] },
  {
    name: 'stage, by a folder in place of the file',
    edit: 'fs.rmSync(file); fs.mkdirSync(file);',
    mend: `fs.rmdirSync(file); install('v3');`,
    trace: ['refused ERR_NOT_AN_ADDON foreign'],
  },
  {
    name: 'inspect, by a text',
    edit: `fs.writeFileSync(file, '#!/bin/sh');`,
    trace: ['refused ERR_NOT_AN_ADDON foreign'],
  },
  { name: 'inspect, by another machine', edit: otherMachine, trace: ['refused ERR_WRONG_ARCH'] },
  { name: 'inspect, by no entry', v2: ['WRONG_ENTRY'], trace: ['refused ERR_NOT_AN_ADDON no-entry'] },
  { name: "inspect, by V8's ABI", v2: ['WRONG_ABI'], trace: ['refused ERR_NOT_AN_ADDON v8-abi'] },
  { name: 'load, by an undefined symbol', v2: ['WRONG_SYMBOL'], trace: ['refused ERR_UNDEFINED_SYMBOL'] },
  {
    name: 'load, by a Node-API version of the future',
    v2: ['WRONG_API_VERSION=99'],
    trace: ['v2 mapped', 'v2 unmapped', 'refused ERR_NAPI_VERSION'],
  },
  {
    name: 'load, by an init that throws',
    v2: ['MODULE_INIT_THROWS'],
    trace: [...V2_LOADED, 'v2 unmapped', 'refused ERR_INIT_THREW'],
  },
  {
    name: 'prepare, by a throw',
    v2: ['PREPARE=THROWS'],
    trace: [...V2_LOADED, 'v2 prepare', 'v2 dispose', 'v2 unmapped', 'refused ERR_HOOK_THREW prepare'],
  },
  {
    name: 'prepare, by a promise that never settles',
    v2: ['PREPARE=NEVER_SETTLES'],
    options: { hookTimeoutMs: 20 },
    trace: [...V2_LOADED, 'v2 prepare', 'v2 dispose', 'v2 unmapped', 'refused ERR_HOOK_TIMEOUT prepare'],
  },
  {
    name: 'save, by a throw',
    v1: ['SAVE=THROWS', 'SAVE_AT=2'],
    trace: [
      ...V2_LOADED,
      'v2 prepare',
      'v1 save 1',
      'v1 resume',
      'v2 dispose',
      'v2 unmapped',
      'refused ERR_HOOK_THREW save',
    ],
  },
  {
    name: 'save, by a promise',
    v1: ['SAVE=PROMISE', 'SAVE_AT=2'],
    trace: [
      ...V2_LOADED,
      'v2 prepare',
      'v1 save 1',
      'v1 resume',
      'v2 dispose',
      'v2 unmapped',
      'refused ERR_HOOK_ASYNC save',
    ],
  },
  {
    name: 'migrate, by a missing step',
    v2: ['SCHEMA=2'],
    trace: [
      ...V2_LOADED,
      'v2 prepare',
      'v1 save 1',
      'v1 resume',
      'v2 dispose',
      'v2 unmapped',
      'refused ERR_STATE_SCHEMA missing-step',
    ],
  },
  ...['THROWS', 'PROMISE', 'NEVER_SETTLES'].map(
    (manner): Failure => ({
      name: `init, by ${manner}`,
      v2: [`INIT=${manner}`],
      trace: [
        ...V2_LOADED,
        'v2 prepare',
        'v1 save 1',
        'v2 init 1',
        'v1 resume',
        'v2 dispose',
        'v2 unmapped',
        `refused ${manner === 'THROWS' ? 'ERR_HOOK_THREW' : 'ERR_HOOK_ASYNC'} init`,
      ],
    }),
  ),
  ...['THROWS', 'PROMISE'].map(
    (manner): Failure => ({
      name: `verify, by a save of ${manner}`,
      v2: [`SAVE=${manner}`],
      trace: [
        ...V2_LOADED,
        'v2 prepare',
        'v1 save 1',
        'v2 init 1',
        'v2 save 1',
        'v1 resume',
        'v2 dispose',
        'v2 unmapped',
        'refused ERR_STATE_ROUNDTRIP save-failed',
      ],
    }),
  ),
  {
    name: 'init, where resume and both disposes throw too',
    v1: ['RESUME=THROWS', 'DISPOSE=THROWS'],
    v2: ['INIT=THROWS', 'DISPOSE=THROWS'],
    trace: [
      ...V2_LOADED,
      'v2 prepare',
      'v1 save 1',
      'v2 init 1',
      'v1 resume',
      'warning resume-failed',
      'v2 dispose',
      'warning dispose-failed',
      'v2 unmapped',
      'refused ERR_HOOK_THREW init',
    ],
    takeOver: [...TAKE_OVER.slice(0, -2), 'warning dispose-failed', ...TAKE_OVER.slice(-2)],
  },
  {
    name: 'init, where the dispose never settles',
    v2: ['INIT=THROWS', 'DISPOSE=NEVER_SETTLES'],
    options: { hookTimeoutMs: 20 },
    trace: [
      ...V2_LOADED,
      'v2 prepare',
      'v1 save 1',
      'v2 init 1',
      'v1 resume',
      'v2 dispose',
      'warning dispose-failed',
      'v2 unmapped',
      'refused ERR_HOOK_THREW init',
    ],
  },
];

describe('a version that is refused leaves the one before it serving, and the next is taken', () => {
  test.concurrent.each(failures)('$name', async (failure) => {
    using scratch = createScratch();
    const builds = {
      v1: traceAddon(1, ...(failure.v1 ?? [])),
      v2: traceAddon(2, ...(failure.v2 ?? [])),
      v3: traceAddon(3),
    };
    const script = SCRIPT(failure.edit ?? `install('v2');`, failure.mend ?? `install('v3');`);
    const ended = await traceOf(scratch, script, { builds, options: failure.options ?? {} });
    const before = [...OPEN, 'v1 increment 1', ...failure.trace, 'v1 increment 2'];
    const after = [...(failure.takeOver ?? TAKE_OVER), ...END];
    expect(ended).toEqual({
      trace: [...before, ...after],
      errors: '',
      exitCode: 0,
      signal: null,
    });
  });
});

describe('a version that cannot be ended well is replaced all the same', () => {
  test.concurrent.each(['THROWS', 'NEVER_SETTLES'])('dispose, by %s', async (manner) => {
    using scratch = createScratch();
    const builds = { v1: traceAddon(1, `DISPOSE=${manner}`), v2: traceAddon(2), v3: traceAddon(3) };
    const ended = await traceOf(scratch, SCRIPT(`install('v2');`, `install('v3');`), {
      builds,
      options: { hookTimeoutMs: 20 },
    });
    const reloaded = (from: string, to: string, count: number): string[] =>
      [`${to} mapped`, `${to} module init`, `${to} prepare`].concat([
        `${from} save ${count}`,
        `${to} init ${count}`,
        `${to} save ${count}`,
        `${from} dispose`,
      ]);
    expect(ended).toEqual({
      trace: [
        ...OPEN,
        'v1 increment 1',
        ...reloaded('v1', 'v2', 1),
        'warning dispose-failed',
        'v1 unmapped',
        'reloaded carried',
        'v2 increment 2',
        ...reloaded('v2', 'v3', 2),
        'v2 unmapped',
        'reloaded carried',
        ...END,
      ],
      errors: '',
      exitCode: 0,
      signal: null,
    });
  });
});

describe('a stage directory that somebody deleted', () => {
  test('is made again by the next reload', async () => {
    using scratch = createScratch();
    const builds = { v1: traceAddon(1), v2: traceAddon(2), v3: traceAddon(3) };
    const edit = `fs.rmSync(stageDir, { recursive: true }); install('v2');`;
    const { trace, ...end } = await traceOf(scratch, SCRIPT(edit, `install('v3');`), { builds });
    expect(trace.filter((line) => /^(reloaded|refused|warning|staged)/.test(line))).toEqual([
      'reloaded carried',
      'reloaded carried',
      'staged 0 directories, copies: none',
    ]);
    expect(end).toEqual({ errors: '', exitCode: 0, signal: null });
  });
});
