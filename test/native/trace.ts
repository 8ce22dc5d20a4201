/** Runs a script in a child process and returns all that it and its addons printed. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OpenOptions } from '../../src/index.ts';
import { compileAddon, FIXTURES, type Scratch } from '../support/addons.ts';
import { compiledUrl } from '../support/compiled.ts';

/** A child that is still running then hangs; the test says so instead of waiting. */
const CHILD_MAX_MS = 30_000;
const CHILD_MODULE = pathToFileURL(path.join(FIXTURES, 'trace/child.mjs')).href;
const NAMES = 'plan, file, stageDir, say, install, make, openAddon, reasonOf, reload, close, sayStaged';

export interface Plan {
  /** Built addons by the names that the script installs them under. */
  readonly builds: Readonly<Record<string, string>>;
  /** `build: true` stands for the command that `make()` writes. */
  readonly options?: Omit<OpenOptions, 'build'> & { readonly build?: boolean };
}

export interface Ended {
  readonly trace: readonly string[];
  readonly errors: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Builds `trace.c` as the version with these macros, such as `PREPARE=THROWS`. */
export function traceAddon(version: number, ...macros: readonly string[]): string {
  const defines = [`VERSION=${version}`, ...macros].map((macro) => `-D${macro}`);
  return compileAddon([path.join(FIXTURES, 'trace/trace.c')], defines);
}

/** The script is the body of a module that has the names of `trace/child.mjs`. */
export function startChild(scratch: Scratch, script: string, { builds, options = {} }: Plan): ChildProcess {
  const plan = { library: compiledUrl('index.js'), folder: scratch.path, builds, options };
  const module = `import { ${NAMES} } from ${JSON.stringify(CHILD_MODULE)};\nimport fs from 'node:fs';\n${script}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', module], {
    env: { ...process.env, TRACE_PLAN: JSON.stringify(plan), TRACE_CHILD: CHILD_MODULE },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

export async function endOf(child: ChildProcess): Promise<Ended> {
  const timer = setTimeout(() => child.kill('SIGKILL'), CHILD_MAX_MS);
  let output = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      resolve({ trace: sortExit(output.split('\n').slice(0, -1)), errors, exitCode, signal });
    });
  });
}

export function traceOf(scratch: Scratch, script: string, plan: Plan): Promise<Ended> {
  return endOf(startChild(scratch, script, plan));
}

/** In which order images are unmapped when a process exits is the loader's own affair. */
function sortExit(lines: readonly string[]): readonly string[] {
  const end = lines.findLastIndex((line) => !line.endsWith(' unmapped')) + 1;
  return [...lines.slice(0, end), ...lines.slice(end).sort()];
}
