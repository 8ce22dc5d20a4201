/** Lives in a child process in which calls that the shim makes of the C library fail. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { compileAddon, FIXTURES, type Scratch } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { counter } from './life.ts';
import type { Tally } from './tally.ts';

/** How a call fails, kept in step with failing.c and child.mjs. */
export type Manner = 'once' | 'for good' | 'interrupted' | 'short' | 'killed' | 'no memory';

/** What there is too little of, kept in step with scarce.mjs: pages on the disk, or descriptors. The others are one life. */
export type Scarce = 'disk' | 'readonly' | 'noexec' | 'descriptors';

export interface Plan {
  readonly manner: Manner | Scarce;
  readonly scope: 'thread' | 'process';
  /** Where versions run, if not inline; and whether calls fail there, in each process, instead of on this side. */
  readonly isolation?: 'worker' | 'process';
  readonly inHost?: boolean;
  /** The first call that fails, from 1, and the last; or the least and the most that there is. */
  readonly from: number;
  readonly to: number;
  /** How many calls lie between one that fails and the next. */
  readonly step: number;
  /** Whether it says which functions of the shim are entered, for where it crashes: two lines for each call of one. */
  readonly tellsEntries?: boolean;
}

/** One call that failed. */
export interface Point {
  readonly nth: number;
  /** The function, null where the process ended before it could say. */
  readonly struck: string | null;
  /** The function of the shim that JavaScript had called when the process ended, where that is asked for. */
  readonly within?: string | null;
  /** What is wrong, if something is. */
  readonly bad: string | null;
}

export interface Run {
  readonly points: readonly Point[];
  /** What is wrong where nothing was made to fail. */
  readonly loose: readonly string[];
  /** Whether lives went by without the call: all have failed. */
  readonly isEnd: boolean;
  /** Where it ended, null before the first life. */
  readonly last: number | null;
  readonly signal: NodeJS.Signals | null;
}

const COMMANDS: Readonly<Record<Scarce, readonly string[]>> = {
  disk: ['unshare', '-rm'],
  readonly: ['unshare', '-rm'],
  noexec: ['unshare', '-rm'],
  descriptors: ['prlimit', '--nofile=256'],
};
const FAILING = path.join(FIXTURES, 'faults/failing.c');
/** More than is copied in one piece on the thread of JavaScript. */
const LARGE_BYTES = 2 ** 20 + 4096;

interface Line {
  readonly entered?: string | null;
  readonly nth?: number;
  readonly struck?: string | null;
  readonly bad?: string | null;
  readonly isEnd?: boolean;
}

/** Three versions that hand on a state and memory; the last one is large, the others have a private library. */
function buildVersions(scratch: Scratch): string[] {
  return [1, 2, 3].map((version) => {
    const built = counter(version, version !== 3);
    const bytes = fs.readFileSync(built);
    const pad = Buffer.alloc(version === 3 ? LARGE_BYTES : 0);
    return scratch.write(`built/v${version}.node`, Buffer.concat([bytes, pad]));
  });
}

/** Starts one child, which goes on until a life goes by without a failure, or until it ends. */
export async function runLives(scratch: Scratch, plan: Plan): Promise<Run> {
  const control = compileAddon([FAILING], ['-O2', '-fno-builtin']);
  const given = {
    ...plan,
    library: compiledUrl('index.js'),
    control,
    built: buildVersions(scratch),
    folder: scratch.path,
  };
  const isScarce = plan.manner in COMMANDS;
  const script = path.join(FIXTURES, 'faults', isScarce ? 'scarce.mjs' : 'child.mjs');
  const node = [process.execPath, '--expose-gc', '--no-warnings', script];
  const [command = '', ...args] = isScarce ? [...COMMANDS[plan.manner as Scarce], ...node] : node;
  const child = spawn(command, args, {
    env: {
      ...process.env,
      FAULTS_PLAN: JSON.stringify(given),
      ...(isScarce ? {} : { LD_PRELOAD: control }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const points: Point[] = [];
  const loose: string[] = [];
  let isEnd = false;
  let last: number | null = null;
  let within: string | null = null;
  for await (const text of createInterface(child.stdout)) {
    const line = JSON.parse(text) as Line;
    if (line.entered !== undefined) within = line.entered;
    if (line.nth !== undefined) last = line.nth;
    if (line.isEnd === true) isEnd = true;
    if (typeof line.struck === 'string')
      points.push({ nth: last ?? 0, struck: line.struck, bad: line.bad ?? null });
    else if (typeof line.bad === 'string') loose.push(`life ${last}: ${line.bad}`);
  }
  const [code, signal] = await closed;
  if (code !== 0 && !(plan.manner === 'killed' && signal === 'SIGKILL')) {
    const bad = `ended by ${signal ?? code}: ${errors}`;
    if (last === null) loose.push(bad);
    else points.push({ nth: last, struck: null, within, bad });
  }
  return { points, loose, isEnd, last, signal };
}

/** A crash, where it can be told, with the function in which it happens: the same call fails once more. */
async function withPlace(scratch: Scratch, plan: Omit<Plan, 'from'>, run: Run): Promise<Run> {
  const last = run.points.at(-1);
  if (plan.manner !== 'no memory' || last === undefined || last.struck !== null) return run;
  const again = await runLives(scratch, { ...plan, from: last.nth, to: last.nth, tellsEntries: true });
  const within = again.points.at(-1)?.within ?? null;
  return { ...run, points: [...run.points.slice(0, -1), { ...last, within }] };
}

/** Every call from the first to the last; after a crash, a child goes on with the next one. */
export async function sweep(
  scratch: Scratch,
  plan: Omit<Plan, 'from'>,
  tally: Tally,
): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (let from = 1; from <= plan.to; ) {
    const run = await withPlace(scratch, plan, await runLives(scratch, { ...plan, from }));
    points.push(...run.points);
    addTo(tally, run);
    if (run.isEnd) return points;
    if (run.last === null) throw new Error('a child ended before its first life');
    from = run.last + plan.step;
  }
  throw new Error(`more than ${plan.to} calls`);
}

export function addTo(tally: Tally, { points, loose }: Run): void {
  for (const { nth, struck, within, bad } of points)
    tally.add(`${struck ?? within ?? 'a call'}, number ${nth}`, bad);
  for (const bad of loose) tally.addBad('no call', bad);
}

/** Names of dynamic symbols of a file that the arguments of nm select, without their versions. */
function symbolsOf(file: string, which: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync('nm', ['-D', which, file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`nm ${file}: ${stderr}`);
  return stdout.split('\n').flatMap((line) => line.trim().split(' ').at(-1)?.split('@')[0] || []);
}

/** The functions that the shim calls, and those that are made to fail. */
export function symbols(shim: string): {
  readonly imported: readonly string[];
  readonly standIns: readonly string[];
} {
  const control = compileAddon([FAILING], ['-O2', '-fno-builtin']);
  const own = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
  return {
    imported: symbolsOf(shim, '--undefined-only'),
    standIns: symbolsOf(control, '--defined-only').filter((name) => !own.includes(name)),
  };
}

/** Directories that are left where versions are staged. */
export function stagedIn(scratch: Scratch): readonly string[] {
  return fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock');
}
