/** Precompiled headers: made once for each beginning of a source and each set of flags, and again when a header changes. */
import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Outside } from '../../outside.ts';
import type { BuildRequest } from '../builder.ts';
import { isFile, readText } from '../files.ts';
import type { PlannedLine } from '../plan.ts';
import { run } from '../run.ts';
import { findProgram } from '../tools.ts';
import { depsOptionOf, flagsOf } from './flags.ts';
import { FILES_MAX, Listing } from './listing.ts';
import { describeFound, isFoundAgain } from './made-of.ts';
import { stampsOf } from './stamps.ts';

/** Name of the header in its folder; the compiler takes `prefix.h.gch` beside it. */
const HEADER = 'prefix.h';
/** What it was made of. */
const MADE_OF = 'made-of.json';

/** What GCC looks for includes by, besides its flags (gcc's manual, "Environment Variables Affecting GCC"). */
const SEARCH_VARIABLES = ['CPATH', 'C_INCLUDE_PATH', 'CPLUS_INCLUDE_PATH', 'GCC_EXEC_PREFIX'];

export class Headers {
  readonly #outside: Outside;
  readonly #folder: string;
  /** By the name of the compiler. */
  readonly #compilers = new Map<string, Promise<string | null>>();
  /** Those that the compiler makes none of, or none that is safe. As many as there were beginnings of edited sources. */
  readonly #refused = new Set<string>();
  /** Whether each is up to date, in this build. */
  #looked = new Map<string, Promise<boolean>>();

  constructor(outside: Outside, folder: string) {
    this.#outside = outside;
    this.#folder = folder;
  }

  /** A build begins: files may have changed. */
  lookAgain(): void {
    this.#looked = new Map();
  }

  /** @returns absolute path of the header for the longest beginning that there is one for; null when there is none */
  async find(line: PlannedLine, includes: readonly string[]): Promise<string | null> {
    for (let count = includes.length; count > 0; count -= 1) {
      const place = await this.#placeOf(line, includes.slice(0, count));
      if (place === null) return null;
      const fresh = this.#looked.get(place) ?? this.#isFresh(place);
      this.#looked.set(place, fresh);
      if (await fresh) {
        await this.#outside.setModified(place, Date.now()).catch(() => {});
        return path.join(place, HEADER);
      }
    }
    return null;
  }

  /** @returns absolute path of the header; null when the compiler makes none, or the signal fired */
  async make(
    line: PlannedLine,
    includes: readonly string[],
    { signal, timeoutMs }: Pick<BuildRequest, 'signal' | 'timeoutMs'>,
  ): Promise<string | null> {
    const place = await this.#placeOf(line, includes);
    if (place === null || this.#refused.has(place)) return null;
    const scratch = `${place}.${randomUUID()}`;
    const listing = new Listing(line.cwd);
    try {
      await this.#outside.makePrivateFolder(scratch);
      const header = path.join(scratch, HEADER);
      await this.#outside.writeFile(header, textOf(includes), 0o600);
      const startMs = Date.now();
      const option = depsOptionOf(line);
      // The header remembers which files it is made of, of the kind that the depfile of the source is to name.
      const deps = option === null ? [] : [option, '-MF', path.join(scratch, 'prefix.d')];
      const { end } = await run(this.#outside, {
        command: line.compiler,
        // -H prints each file that is read, those of the system, too, and which have no guard; -v where they are looked for.
        args: [...flagsOf(line), '-H', '-v', ...deps, '-x', 'c++-header', '-o', `${header}.gch`, header],
        cwd: line.cwd,
        env: {},
        signal,
        timeoutMs,
        onLine: (text) => listing.line(text),
      });
      if (end.kind !== 'exit') return null;
      const guarded = listing.guarded(includes);
      if (end.exitCode !== 0 || listing.files.size > FILES_MAX || guarded.length < includes.length) {
        this.#refused.add(place);
        return end.exitCode === 0 && guarded.length > 0
          ? this.make(line, guarded, { signal, timeoutMs })
          : null;
      }
      const found = { files: [...listing.files], folders: [...listing.folders] };
      const madeOf = await describeFound(this.#outside, found, startMs);
      // Without what the compiler says of its search, nobody knows what the includes would find next time.
      if (madeOf === null || found.folders.length === 0) return null;
      await this.#outside.writeFile(path.join(scratch, MADE_OF), madeOf, 0o600);
      await this.#outside.removeFolder(place);
      await this.#outside.rename(scratch, place);
      return path.join(place, HEADER);
    } catch {
      // No header is no failure: the source is compiled without.
      return null;
    } finally {
      await this.#outside.removeFolder(scratch).catch(() => {});
    }
  }

  /** All that decides what the header means: the compiler itself, how it searches, its flags, its folder, the includes. */
  async #placeOf(line: PlannedLine, includes: readonly string[]): Promise<string | null> {
    const known = this.#compilers.get(line.compiler) ?? this.#stampOfCompiler(line);
    this.#compilers.set(line.compiler, known);
    const compiler = await known;
    if (compiler === null) return null;
    const search = SEARCH_VARIABLES.map((name) => process.env[name] ?? null);
    const all = JSON.stringify([compiler, search, flagsOf(line), depsOptionOf(line), line.cwd, includes]);
    return path.join(this.#folder, createHash('sha256').update(all).digest('hex').slice(0, 32));
  }

  /** @returns null when it is not GCC */
  async #stampOfCompiler({ compiler, cwd }: PlannedLine): Promise<string | null> {
    const program = compiler.includes('/')
      ? path.resolve(cwd, compiler)
      : await findProgram(this.#outside, compiler);
    let proper = '';
    await run(this.#outside, {
      command: compiler,
      args: ['-print-prog-name=cc1plus'],
      cwd,
      env: {},
      signal: new AbortController().signal,
      timeoutMs: 10_000,
      onLine: (line) => {
        proper = line;
      },
    });
    if (program === null || !path.isAbsolute(proper)) return null;
    const stamps = await stampsOf(this.#outside, [program, proper]);
    return stamps === null ? null : JSON.stringify(stamps);
  }

  async #isFresh(place: string): Promise<boolean> {
    const text = await readText(this.#outside, path.join(place, MADE_OF));
    if (text === null || !(await isFile(this.#outside, path.join(place, `${HEADER}.gch`)))) return false;
    return isFoundAgain(this.#outside, text);
  }
}

function textOf(includes: readonly string[]): string {
  return includes.map((name) => `#include ${name}\n`).join('');
}
