/** What the tests of shared arrays have in common: a forked process that is the other side of them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';
import { expect, onTestFinished } from 'vitest';
import type { Bytes } from '../../../src/isolate/array-types.ts';
import { isLoan } from '../../../src/isolate/loan.ts';
import { SharedArrays, type SharedArraysOptions } from '../../../src/isolate/segments.ts';
import { loadNative } from '../../../src/native.ts';
import { FIXTURES } from '../../support/addons.ts';
import { compiledUrl } from '../../support/compiled.ts';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc') as () => void;

/** In turns, as finalizers run between them. */
export async function collect(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) {
    gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Files and mappings of segments in this process. */
export function look(): { readonly files: number; readonly mappings: number } {
  const isOurs = (text: string): boolean => text.includes('napi-reload:array');
  const files = fs.readdirSync('/proc/self/fd').filter((number) => isOurs(linkOf(`/proc/self/fd/${number}`)));
  const mappings = fs.readFileSync('/proc/self/maps', 'latin1').split('\n').filter(isOurs);
  return { files: files.length, mappings: mappings.length };
}

function linkOf(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    // The one by which the folder itself was read.
    return '';
  }
}

export interface Peer {
  readonly child: ChildProcess;
  readonly arrays: SharedArrays;
  /** Calls a function of test/fixtures/isolate/segments.mjs. */
  call(name: string, ...args: readonly unknown[]): Promise<unknown>;
  /** The same, where an array is awaited, which was not copied on its way. */
  get<A extends Bytes>(name: string, ...args: readonly unknown[]): Promise<A>;
  /** Stats, files and mappings of the other side, once all garbage is collected there. */
  left(): Promise<unknown>;
}

type Changes = Partial<Omit<SharedArraysOptions, 'send' | 'addon'>>;

export async function forkPeer(changes: Changes = {}): Promise<Peer> {
  const child = fork(path.join(FIXTURES, 'isolate/segments.mjs'), {
    serialization: 'advanced',
    env: {
      ...process.env,
      NATIVE_MODULE: compiledUrl('native.js'),
      SEGMENTS_MODULE: compiledUrl('isolate/segments.js'),
      LOAN_MODULE: compiledUrl('isolate/loan.js'),
    },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const send = (message: object): void => void child.send(message);
  const arrays = new SharedArrays({ addon: 'kernel.node', native: loadNative(), send, ...changes });
  onTestFinished(() => arrays.close());
  const waiting: ((value: unknown) => void)[] = [];
  const answered = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      const isOurs = arrays.receive(message);
      if (isOurs && Reflect.get(message as object, 'kind') === 'segments-answer') resolve();
      if (!isOurs) waiting.shift()?.(Reflect.get(message as object, 'value'));
    });
  });
  arrays.start();
  await answered;
  const exchange = (name: string, args: readonly unknown[]): Promise<unknown> => {
    const lent = args.map((value) => (isBytes(value) && arrays.lend(value)) || value);
    send({ name, args: lent });
    return new Promise((resolve) => {
      waiting.push(resolve);
    });
  };
  return {
    child,
    arrays,
    async call(name, ...args) {
      const value = await exchange(name, args);
      return isLoan(value) ? arrays.borrow(value) : value;
    },
    async get<A extends Bytes>(name: string, ...args: readonly unknown[]) {
      const value = await exchange(name, args);
      if (!isLoan(value)) expect.unreachable('it came as a copy');
      return arrays.borrow(value) as A;
    },
    left: () => exchange('left', []),
  };
}

export async function kill({ child }: Peer): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function isBytes(value: unknown): value is Bytes {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}
