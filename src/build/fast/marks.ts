/**
 * Objects of the fast lane, which look too old to everybody else.
 *
 * They are meant to be the same as others, but whoever builds a release must not have to believe that: between two fast
 * builds they carry a time before any source's, so that a plain `make`, `ninja` or `node-gyp build` compiles them again and
 * links. A fast build gives them their own times back while it runs, under a guard.
 */
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Outside } from '../../outside.ts';
import { modifiedMs, readText } from '../files.ts';
import { listObjects, OLD_MS } from '../stale.ts';
import { type Guard, startGuard } from './guard.ts';

/** How far off a time is found that was set, in milliseconds: it goes to the kernel as a fraction of a second. */
const ROUNDING_MS = 1;

export class Marks {
  readonly #outside: Outside;
  /** Absolute folder that the objects are below. */
  readonly #folder: string;
  /** Absolute path of what is remembered between two processes. */
  readonly #note: string;
  /** Absolute path of what the guard is told. */
  readonly #list: string;
  /** While the marks are off. */
  #guard: Guard | null = null;

  /** @param note absolute path, to which an extension is added for each file */
  constructor(outside: Outside, folder: string, note: string) {
    this.#outside = outside;
    this.#folder = folder;
    this.#note = `${note}.json`;
    this.#list = `${note}.marked`;
  }

  /** What the build is to hold while the marks are off: the guard waits for its end, too. */
  get heldByBuild(): Writable | undefined {
    return this.#guard?.input;
  }

  /**
   * Gives all marked objects their own times, until {@link putOn}, or the end of this process.
   *
   * @throws when nothing can be started that would mark them then
   */
  async takeOff(): Promise<void> {
    const known = await this.#read();
    await this.#outside.writeFile(this.#list, [...known.keys(), ''].join('\n'), 0o600);
    const about = { folder: this.#folder, list: this.#list, markMs: OLD_MS };
    this.#guard ??= await startGuard(this.#outside, about);
    for (const [file, ownMs] of known) {
      // Any other time is that of somebody who has made it again.
      if ((await modifiedMs(this.#outside, file)) === OLD_MS) await this.#outside.setModified(file, ownMs);
    }
  }

  /** Marks what was compiled since that time of the wall clock, and what was marked before. */
  async putOn(sinceMs: number): Promise<void> {
    const guard = this.#guard;
    this.#guard = null;
    let isMarked = false;
    try {
      await this.#mark(sinceMs);
      isMarked = true;
    } finally {
      guard?.end(isMarked);
    }
  }

  async #mark(sinceMs: number): Promise<void> {
    const before = await this.#read();
    const own = new Map<string, number>();
    for (const file of await listObjects(this.#outside, this.#folder)) {
      const foundMs = Math.floor((await modifiedMs(this.#outside, file)) ?? OLD_MS);
      const known = before.get(file);
      if (foundMs === OLD_MS) {
        if (known !== undefined) own.set(file, known);
      } else if (foundMs >= sinceMs) {
        own.set(file, foundMs);
        await this.#outside.setModified(file, OLD_MS);
      } else if (known !== undefined && Math.abs(known - foundMs) <= ROUNDING_MS) {
        // As it was, so that it does not become older by the rounding of each build.
        own.set(file, known);
        await this.#outside.setModified(file, OLD_MS);
      }
    }
    const entries = [...own].map(([file, ms]) => [path.relative(this.#folder, file), ms]);
    await this.#outside.writeFile(this.#note, JSON.stringify(entries), 0o600);
  }

  /** @returns of each object of the fast lane its own time in whole milliseconds, as the last build of any handle left it */
  async #read(): Promise<ReadonlyMap<string, number>> {
    return parseNote((await readText(this.#outside, this.#note)) ?? '[]', this.#folder);
  }
}

function parseNote(text: string, folder: string): Map<string, number> {
  const own = new Map<string, number>();
  try {
    const parsed: unknown = JSON.parse(text);
    for (const entry of Array.isArray(parsed) ? (parsed as unknown[]) : []) {
      const [name, ms]: unknown[] = Array.isArray(entry) ? entry : [];
      if (typeof name === 'string' && typeof ms === 'number') own.set(path.resolve(folder, name), ms);
    }
  } catch {
    // Without it, everything that is marked is compiled once more.
  }
  return own;
}
