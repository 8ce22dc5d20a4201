/** Lives in a child process in which calls that the shim makes of the C library fail. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { compileAddon, FIXTURES, type Scratch } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';
import { counter } from './life.ts';

/** How a call fails, kept in step with failing.c and child.mjs. */
export type Manner = 'once' | 'for good' | 'interrupted' | 'short' | 'killed' | 'no memory';

/** What there is too little of, kept in step with scarce.mjs: pages on the disk, or descriptors. The others are one life. */
export type Scarce = 'disk' | 'readonly' | 'noexec' | 'descriptors';

export interface Plan {
  readonly manner: Manner | Scarce;
  readonly scope: 'thread' | 'process';
  /** The first call that fails, from 1, and the last; or the least and the most that there is. */
  readonly from: number;
  readonly to: number;
  /** How many calls lie between one that fails and the next. */
  readonly step: number;
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
  /** Whether a life went by without the call: all have failed. */
  readonly isEnd: boolean;
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
  readonly struck?: string;
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
  let [started, isEnd] = [0, false];
  let within: string | null = null;
  for await (const text of createInterface(child.stdout)) {
    const line = JSON.parse(text) as Line;
    if (line.entered !== undefined) within = line.entered;
    else if (line.isEnd === true) {
      isEnd = true;
      if (typeof line.bad === 'string') points.push({ nth: started, struck: null, bad: line.bad });
    } else if (line.struck === undefined) started = line.nth ?? 0;
    else points.push({ nth: started, struck: line.struck, bad: line.bad ?? null });
  }
  const [code, signal] = await closed;
  if (code !== 0 && !(plan.manner === 'killed' && signal === 'SIGKILL'))
    points.push({ nth: started, struck: null, within, bad: `ended by ${signal ?? code}: ${errors}` });
  return { points, isEnd, signal };
}

/** Every call from the first to the last; after a crash, a child goes on with the next one. */
export async function sweep(scratch: Scratch, plan: Omit<Plan, 'from'>): Promise<Point[]> {
  const points: Point[] = [];
  for (let from = 1; from <= plan.to; ) {
    const run = await runLives(scratch, { ...plan, from });
    points.push(...run.points);
    if (run.isEnd) break;
    from = (run.points.at(-1)?.nth ?? from) + plan.step;
  }
  return points;
}

/** Directories that are left where versions are staged. */
export function stagedIn(scratch: Scratch): readonly string[] {
  return fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock');
}
