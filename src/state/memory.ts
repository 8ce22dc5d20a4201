/**
 * Memory that no version owns: each version of a handle that asks for a name gets the same bytes.
 *
 * Invariants:
 * 1. What a new version asks for is its own claim until it serves: nobody else sees new names or sizes before.
 * 2. A version that is refused leaves names and sizes as they were. What it wrote to bytes that were there stays.
 * 3. Bytes stay where they are as long as the handle is open or somebody has a view.
 */
import { constants } from 'node:buffer';
import { describe, errors } from '../errors.ts';
import type { Native } from '../native.ts';
import { createMemoryBlock, type MemoryBlock, type MemoryFile } from './memory-block.ts';

/** In UTF-8. It is a part of the name that the kernel shows, which has a bound too. */
const NAME_BYTES_MAX = 200;

/** What `ctx.memory` may be told. */
export interface MemoryOptions {
  /**
   * Make it larger where it has fewer bytes, instead of `ERR_MEMORY_SIZE`.
   *
   * @defaultValue false
   */
  readonly grow?: boolean;
}

/**
 * `ctx.memory`: as many bytes under that name, 0 where nobody wrote yet, at a multiple of 64. The same ones for each later
 * version.
 *
 * @throws `ERR_MEMORY_SIZE` where it has another size, `ERR_MEMORY_UNAVAILABLE`, `ERR_INVALID_OPTION`; `ERR_MEMORY_LATE`
 *   once the version's `init` has returned
 * @example
 * ```ts
 * init({ memory }) {
 *   const counts = new Float64Array(memory('counts', 8 * 1024).buffer);
 * }
 * ```
 */
export type AskForMemory = (name: string, byteLength: number, options?: MemoryOptions) => Uint8Array;

/** What `addon.memory()` shows. */
export interface MemoryInfo {
  /** What versions ask for it by. */
  readonly name: string;
  /** Its size. */
  readonly bytes: number;
}

type Blocks = ReadonlyMap<string, MemoryBlock>;

/** The memory of one handle. */
export class NamedMemory {
  readonly #addon: string;
  readonly #native: Native;
  #blocks: Blocks = new Map();

  constructor(addon: string, native: Native) {
    this.#addon = addon;
    this.#native = native;
  }

  list(): readonly MemoryInfo[] {
    return Array.from(this.#blocks, ([name, { bytes }]) => ({ name, bytes }));
  }

  /** Ends by `keep` or `undo`. @param afresh whether the version is to find none of what there is */
  claim(version: number, afresh: boolean): MemoryClaim {
    const before = this.#blocks;
    return new MemoryClaim({
      addon: this.#addon,
      native: this.#native,
      version,
      before: afresh ? new Map() : before,
      replace: (blocks) => {
        // A version that was started again may have kept another claim since.
        const since = this.#blocks;
        const news = [...blocks].filter(([name, block]) => before.get(name) !== block);
        this.#blocks = afresh ? blocks : new Map([...since, ...news]);
        if (afresh) closeAll(since);
      },
    });
  }

  /** Safe to call twice. */
  close(): void {
    closeAll(this.#blocks);
    this.#blocks = new Map();
  }
}

interface ClaimOptions {
  readonly addon: string;
  readonly native: Native;
  readonly version: number;
  readonly before: Blocks;
  replace(blocks: Blocks): void;
}

/** What one version asks for, from its `prepare` to the return of its `init`. */
export class MemoryClaim {
  readonly #options: ClaimOptions;
  readonly #blocks: Map<string, MemoryBlock>;
  #hasEnded = false;

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#blocks = new Map(options.before);
  }

  /** For the hooks; it needs no receiver. */
  readonly ask: AskForMemory = (name, byteLength, options) => this.#take(name, byteLength, options).view();

  /** As `ask`, for a version in another process or thread; null where only `ask` can give the bytes. */
  askForFile(name: string, byteLength: number, options?: MemoryOptions): MemoryFile | null {
    return this.#take(name, byteLength, options).file();
  }

  /** Nothing can be asked for any more. */
  end(): void {
    this.#hasEnded = true;
  }

  /** The version serves: what it has is what the next one finds. Does not fail. */
  keep(): void {
    this.end();
    this.#options.replace(this.#blocks);
  }

  /** The version was refused. Safe to call twice; not after `keep`. */
  undo(): void {
    this.end();
    for (const [name, block] of this.#blocks) {
      const before = this.#options.before.get(name);
      if (before === undefined) block.close();
      else if (before !== block) before.restore();
    }
    this.#blocks.clear();
  }

  #take(name: string, byteLength: number, options: MemoryOptions | undefined): MemoryBlock {
    const { addon, version } = this.#options;
    checkName(name);
    checkLength(byteLength);
    const grows = readGrow(options);
    if (this.#hasEnded) throw errors.memoryLate({ addon, name, version });
    const block = this.#fit(name, byteLength, grows);
    this.#blocks.set(name, block);
    return block;
  }

  #fit(name: string, wanted: number, grows: boolean): MemoryBlock {
    const { addon, native, version } = this.#options;
    const block = this.#blocks.get(name);
    if (block === undefined) return createMemoryBlock({ addon, name }, wanted, native);
    const { bytes: found } = block;
    if (wanted === found) return block;
    if (grows && wanted > found) return block.grow(wanted);
    throw errors.memorySize({ addon, name, version, found, wanted });
  }
}

function closeAll(blocks: Blocks): void {
  for (const block of blocks.values()) block.close();
}

// Native code may give anything.

function checkName(name: unknown): void {
  const bytes = typeof name === 'string' ? Buffer.byteLength(name) : 0;
  if (typeof name === 'string' && bytes >= 1 && bytes <= NAME_BYTES_MAX && !name.includes('\0')) return;
  throw invalid('name', name, `a string of 1 to ${NAME_BYTES_MAX} bytes in UTF-8, without NUL`);
}

function checkLength(byteLength: unknown): void {
  const max = constants.MAX_LENGTH;
  if (Number.isSafeInteger(byteLength) && Number(byteLength) >= 1 && Number(byteLength) <= max) return;
  throw invalid('byteLength', byteLength, `a whole number from 1 to ${max}`);
}

function readGrow(options: unknown): boolean {
  if (options === undefined) return false;
  if (typeof options !== 'object' || options === null) {
    throw invalid('options', options, '{ grow?: boolean }');
  }
  const grow: unknown = Reflect.get(options, 'grow');
  if (grow === undefined || typeof grow === 'boolean') return grow === true;
  throw invalid('options.grow', grow, 'true or false');
}

function invalid(argument: string, found: unknown, wanted: string): Error {
  const shown = typeof found === 'string' ? JSON.stringify(found) : describe(found);
  return errors.invalidOption({ option: `ctx.memory ${argument}`, found: shown, wanted });
}
