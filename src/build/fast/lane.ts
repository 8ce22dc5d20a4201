/**
 * The fast lane: precompiled headers, a faster linker, ccache, and make or ninja without what else starts them. All of it
 * by way of the environment: no file of the project is touched, and no command changes.
 */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic } from '../../diagnostic.ts';
import { errors } from '../../errors.ts';
import type { Outside } from '../../outside.ts';
import type { BuildRequest } from '../builder.ts';
import type { PlannedLine } from '../plan.ts';
import type { Launch, Tool } from '../tool.ts';
import { isProgram } from '../tools.ts';
import { type LaneFolders, laneFolders, trimHeaders, trimNotes } from './cache.ts';
import { Headers } from './headers.ts';
import { Marks } from './marks.ts';
import { prefixOf } from './prefix.ts';
import { makeStandIns, type StandIns } from './stand-ins.ts';

/** Headers that one build makes: to compile many files once, it is faster to do without. */
const NEW_HEADERS_MAX = 2;
/** Where distributions keep compilers' names that are ccache. */
const CCACHE_FOLDERS = ['/usr/lib/ccache', '/usr/lib64/ccache', '/usr/lib/ccache/bin'];

export class FastLane {
  readonly #outside: Outside;
  readonly #tool: Tool;
  /** Name of what is remembered of this build folder. */
  readonly #name: string;
  #parts: Parts | null = null;

  /** Does nothing yet. */
  constructor(tool: Tool, outside: Outside) {
    this.#outside = outside;
    this.#tool = tool;
    this.#name = createHash('sha256').update(tool.output).digest('hex').slice(0, 32);
  }

  /**
   * A fast build begins: what others are to compile again is taken for good until {@link end}.
   *
   * @throws when the folders of the fast lane cannot be used
   */
  async begin(): Promise<void> {
    this.#parts ??= await this.#open();
    await this.#parts.marks.takeOff();
  }

  /**
   * @param compilations what will be compiled
   * @returns what make or ninja are to find in their environment, and what they are to hold
   */
  async prepare(
    compilations: readonly PlannedLine[],
    request: BuildRequest,
  ): Promise<Pick<Launch, 'env' | 'holds'>> {
    const { folders, standIns, headers, marks } = this.#begun();
    const table: string[] = [];
    headers.lookAgain();
    for (const line of compilations.filter(({ isCxx }) => isCxx)) {
      const includes = await prefixOf(this.#outside, line, this.#tool.root);
      const header =
        (await headers.find(line, includes)) ??
        (compilations.length > NEW_HEADERS_MAX ? null : await this.#makeHeader(line, includes, request));
      if (header !== null) table.push(`${realpathSync(line.cwd)}\t${line.file}\t${header}\n`);
    }
    const list = path.join(folders.notes, `${this.#name}.headers`);
    await this.#outside.writeFile(list, table.join(''), 0o600);
    const before = process.env['COMPILER_PATH'] ?? '';
    const env = {
      COMPILER_PATH: before === '' ? standIns.folder : `${standIns.folder}:${before}`,
      NAPI_RELOAD_COMPILER_PATH: before,
      NAPI_RELOAD_HEADERS: list,
      ...(await this.#ccacheEnv(compilations, standIns)),
    };
    return { env, holds: marks.heldByBuild };
  }

  /** The build is over, however it ended. Safe to call for one that never began. */
  async end(sinceMs: number): Promise<void> {
    await this.#parts?.marks.putOn(sinceMs);
  }

  /** What to say once the fast lane has failed where the usual way has not. */
  givenUp(reason: string): Diagnostic {
    const text = `The fast lane is left, as it failed where the usual build does not: ${reason}`;
    return { file: this.#tool.root, line: 0, column: 0, severity: 'warning', text };
  }

  #begun(): Parts {
    if (this.#parts === null) throw errors.internal({ during: 'a fast build that has not begun' }, null);
    return this.#parts;
  }

  async #open(): Promise<Parts> {
    const folders = await laneFolders(this.#outside);
    await trimNotes(this.#outside, folders.notes);
    return {
      folders,
      standIns: await makeStandIns(this.#outside, folders.standIns),
      headers: new Headers(this.#outside, folders.headers),
      marks: new Marks(this.#outside, this.#tool.output, path.join(folders.notes, this.#name)),
    };
  }

  async #makeHeader(
    line: PlannedLine,
    includes: readonly string[],
    request: BuildRequest,
  ): Promise<string | null> {
    const { folders, headers } = this.#begun();
    if (includes.length === 0) return null;
    request.onProgress({ step: `PCH ${path.basename(line.file)}` });
    const header = await headers.make(line, includes, request);
    await trimHeaders(this.#outside, folders.headers);
    return header;
  }

  /** For compilers that are called by a name that ccache has a link of. */
  async #ccacheEnv(
    compilations: readonly PlannedLine[],
    { folder: standIns }: StandIns,
  ): Promise<Readonly<Record<string, string>>> {
    for (const folder of CCACHE_FOLDERS) {
      const links = compilations.map(({ compiler }) => path.join(folder, compiler));
      const isThere = await Promise.all(links.map((link) => isProgram(this.#outside, link)));
      const isByName = compilations.every(({ compiler }) => !compiler.includes('/'));
      if (links.length === 0 || !isByName || isThere.includes(false)) continue;
      const more = process.env['CCACHE_EXTRAFILES'];
      const own = path.join(standIns, 'cc1plus');
      return {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        // Without a run of the preprocessor, which takes half of the time that is to be saved.
        CCACHE_DEPEND: 'true',
        // What the fast lane has put there, nobody else finds.
        CCACHE_EXTRAFILES: more === undefined ? own : `${more}:${own}`,
      };
    }
    return {};
  }
}

interface Parts {
  readonly folders: LaneFolders;
  readonly standIns: StandIns;
  readonly headers: Headers;
  readonly marks: Marks;
}
