/** What the tests of the shim share: the built shim, scratch folders, compiled objects, child processes. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Native, NativeStageDirectory } from '../../../src/native.ts';

/** What the shim exports for these tests alone. */
export interface Internals {
  sha256(bytes: Buffer, portable: boolean, chunkBytes: number): string;
  readonly sha256Accelerated: boolean;
}

export const SHIM_PATH: string = fileURLToPath(
  new URL('../../../build/Release/napi_reload.node', import.meta.url),
);
export const shim: Native & { readonly internals: Internals } = createRequire(import.meta.url)(SHIM_PATH);

/** A folder that goes away with the test. */
export function scratch(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'napi-reload-native-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Compiles a C source to a shared object in `folder`. */
export function compile(folder: string, name: string, source: string, flags: readonly string[] = []): string {
  const include = join(dirname(realpathSync(process.execPath)), '../include/node');
  const input = join(folder, `${name}.c`);
  const output = join(folder, `${name}.node`);
  writeFileSync(input, source);
  execFileSync('gcc', ['-shared', '-fPIC', '-I', include, '-o', output, input, ...flags]);
  return output;
}

/** The smallest addon that registers by symbol; `extra` adds code to it, `-DINIT=…` a statement to its init. */
export function addonSource(extra = ''): string {
  return `#include <node_api.h>
${extra}
#ifndef INIT
#define INIT
#endif
NAPI_MODULE_INIT() { INIT return exports; }
`;
}

/** An addon that is copied on a thread of the pool: the shim with 4 MiB behind its last section. */
export function largeAddon(folder: string): string {
  const output = join(folder, 'large.node');
  writeFileSync(output, Buffer.concat([readFileSync(SHIM_PATH), Buffer.alloc(4 * 2 ** 20)]));
  return output;
}

/** Opens a stage directory that is closed with the test. */
export function openStage(stageDir: string, name = 'kernel'): NativeStageDirectory {
  const opened = shim.stageOpen(stageDir, name);
  if (!opened.ok) throw new Error(`the stage directory did not open: ${JSON.stringify(opened)}`);
  onTestFinished(() => shim.stageClose(opened.handle));
  return opened;
}

/** A Node process that runs `script` with the shim as `shim`, and has printed its first line. */
export async function startNode(script: string, ...args: string[]): Promise<[ChildProcess, string]> {
  const prelude = `const shim = require(${JSON.stringify(SHIM_PATH)});`;
  const child = spawn(process.execPath, ['-e', prelude + script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [chunk]: unknown[] = await once(child.stdout, 'data');
  return [child, String(chunk).trim()];
}
