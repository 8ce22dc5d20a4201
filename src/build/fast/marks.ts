/**
 * Objects of the fast lane, which look too old to everybody else.
 *
 * They are meant to be the same as others, but whoever builds a release must not have to believe that: between two fast
 * builds they carry a time before any source's, so that a plain `make`, `ninja` or `node-gyp build` compiles them again and
 * links. A fast build gives them their own times back while it runs.
 */
import path from 'node:path';
import type { Outside } from '../../outside.ts';
import { modifiedMs, readText } from '../files.ts';
import { listObjects } from '../stale.ts';

/** A second after the epoch, in milliseconds: ninja takes 0 for a file that is not there. */
export const MARK_MS = 1_000;

/** How far off a time is found that was set, in milliseconds: it goes to the kernel as a fraction of a second. */
const ROUNDING_MS = 1;

export class Marks {
  readonly #outside: Outside;
  /** Absolute folder that the objects are below. */
  readonly #folder: string;
  /** Absolute path of what is remembered between two processes. */
  readonly #note: string;

  constructor(outside: Outside, folder: string, note: string) {
    this.#outside = outside;
    this.#folder = folder;
    this.#note = note;
  }

  /** Gives all marked objects their own times. */
  async takeOff(): Promise<void> {
    for (const [file, ownMs] of await this.#read()) {
      // Any other time is that of somebody who has made it again.
      if ((await modifiedMs(this.#outside, file)) === MARK_MS) await this.#outside.setModified(file, ownMs);
    }
  }

  /** Marks what was compiled since that time of the wall clock, and what was marked before. */
  async putOn(sinceMs: number): Promise<void> {
    const before = await this.#read();
    const own = new Map<string, number>();
    for (const file of await listObjects(this.#outside, this.#folder)) {
      const foundMs = Math.floor((await modifiedMs(this.#outside, file)) ?? MARK_MS);
      const known = before.get(file);
      if (foundMs === MARK_MS) {
        if (known !== undefined) own.set(file, known);
      } else if (foundMs >= sinceMs) {
        own.set(file, foundMs);
        await this.#outside.setModified(file, MARK_MS);
      } else if (known !== undefined && Math.abs(known - foundMs) <= ROUNDING_MS) {
        // As it was, so that it does not become older by the rounding of each build.
        own.set(file, known);
        await this.#outside.setModified(file, MARK_MS);
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
