/** Addons with private libraries, linked anew for each test. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { FIXTURES, NODE_INCLUDE, type Scratch } from './addons.ts';

/** Its `libraryVersion()` is what `library_version()` of its libraries returns. */
export interface LibraryUser {
  libraryVersion(): number;
}

export const RUNPATH: readonly string[] = ['-Wl,--enable-new-dtags,-rpath,$ORIGIN'];
export const RPATH: readonly string[] = ['-Wl,--disable-new-dtags,-rpath,$ORIGIN'];

/** A folder that addons and libraries are linked into, each as a new file in place of the old one. */
export class LinkFolder {
  readonly #scratch: Scratch;

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  file(name: string): string {
    return this.#scratch.file(name);
  }

  /** @param flags of the linker, such as other libraries @returns its path */
  library(name: string, code: string, flags: readonly string[] = []): string {
    const source = this.#scratch.write(`${name}.${code.includes('::') ? 'cc' : 'c'}`, code);
    const soname = `-Wl,-soname,${path.basename(name)}`;
    return this.#link(name, [source, ...(flags.includes(NO_SONAME) ? [] : [soname]), ...flags]);
  }

  /** @param flags of the linker; the libraries among them */
  addon(flags: readonly string[], name = 'addon.node'): string {
    return this.#link(name, [path.join(FIXTURES, 'ledger/uses_library.c'), ...flags]);
  }

  /** What is still linked against, and what leads to it at run time. */
  against(name: string): readonly string[] {
    return [this.file(name), `-L${this.#scratch.path}`, '-Wl,--allow-shlib-undefined'];
  }

  #link(name: string, flags: readonly string[]): string {
    const output = this.file(name);
    fs.mkdirSync(path.dirname(output), { recursive: true });
    const isCxx = flags.some((flag) => flag.endsWith('.cc'));
    const common = ['-O1', '-fPIC', '-shared', '-Wall', '-Werror', `-I${NODE_INCLUDE}`];
    const own = flags.filter((flag) => flag !== NO_SONAME);
    const args = [...common, ...own, '-o', `${output}.partial`];
    const { status, stderr } = spawnSync(isCxx ? 'g++' : 'gcc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the linker failed: ${stderr}`);
    fs.renameSync(`${output}.partial`, output);
    return output;
  }
}

export const NO_SONAME = '--no-soname';

/** A library whose version is this, or an expression of the functions that are named after it. */
export function versionCode(value: number | string, ...needs: readonly string[]): string {
  const declarations = needs.map((name) => `int ${name}(void);\n`).join('');
  return `${declarations}int library_version(void) { return ${value}; }\n`;
}
