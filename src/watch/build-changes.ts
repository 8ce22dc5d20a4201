/** Tells the changes that a build may have made itself from those that somebody else made. */
import { createHash } from 'node:crypto';
import type { Outside } from '../outside.ts';
import { type Moment, momentNow, timeOf } from '../wall-clock.ts';

/** Files above it are not compared by their bytes: each of their changes counts. */
export const COMPARED_BYTES_MAX: number = 16 * 2 ** 20;
/** How far the clock of a file system may be behind, in milliseconds. */
const CLOCK_STEP_MS = 10;
/** How long whoever writes a file may take for it, before a look in the middle of that is believed, in milliseconds. */
const WRITE_REST_MS = 20;

export interface Told {
  /** Files that changed, or may have. */
  readonly files: readonly string[];
  /** Whether all of them changed while a build ran, which may have written them. */
  readonly inBuild: boolean;
}

interface Look {
  readonly hash: string;
  /** Null when the file could not be looked at. */
  readonly ctimeMs: number | null;
}

/**
 * What changes while a build runs counts only if the bytes differ from those told of before. A generator that writes
 * a header again, as it was, would otherwise end the build that it is a part of, and start it again, for ever.
 *
 * One edit has several events, and on a busy machine the last ones come when the first were told already. Nothing has
 * changed since if the file has the bytes and the time of the last look.
 */
export class BuildChanges {
  readonly #outside: Outside;
  /** Of each file that was told of, the last one. */
  readonly #looks = new Map<string, Look>();
  #began: Moment | null = null;
  /** Of the last build; null before the first and while one runs. */
  #ended: Moment | null = null;

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  get isBuilding(): boolean {
    return this.#began !== null && this.#ended === null;
  }

  /** Wall clock in milliseconds; infinite before the first build. */
  get startedMs(): number {
    return this.#began === null ? Number.POSITIVE_INFINITY : timeOf(this.#outside, this.#began);
  }

  /** Wall clock in milliseconds; infinite while a build runs, and of no matter before the first. */
  get #endedMs(): number {
    return this.#ended === null ? Number.POSITIVE_INFINITY : timeOf(this.#outside, this.#ended);
  }

  /** A build begins. One that was aborted counts as its beginning: what that one wrote may be told of only now. */
  begin(): void {
    if (!this.isBuilding) this.#began = momentNow(this.#outside);
    this.#ended = null;
  }

  /** The build ended, well or badly. Not called for one that was aborted, which another follows. */
  end(): void {
    if (this.isBuilding) this.#ended = momentNow(this.#outside);
  }

  async judge(changed: readonly string[]): Promise<Told> {
    const files: string[] = [];
    let inBuild = true;
    for (const file of changed) {
      const ctimeMs = await this.#changedMs(file);
      const before = this.#looks.get(file);
      const hash = await this.#hashOnceWritten(file, before);
      if (hash === null) this.#looks.delete(file);
      else this.#looks.set(file, { hash, ctimeMs });
      const isSame = hash !== null && hash === before?.hash;
      if (isSame && (this.#isWithin(ctimeMs, this.#endedMs) || isUntouched(before, ctimeMs))) continue;
      files.push(file);
      // The clock of the file system is behind: an edit right after a build looks like one in its last moment.
      inBuild &&= this.#isWithin(ctimeMs, this.#endedMs - CLOCK_STEP_MS);
    }
    return { files, inBuild };
  }

  /** A file that a build writes again, as it was, is empty or half of itself in between. */
  async #hashOnceWritten(file: string, before: Look | undefined): Promise<string | null> {
    const hash = await hashOf(this.#outside, file);
    if (!this.isBuilding || before === undefined || hash === before.hash) return hash;
    await new Promise<void>((resolve) => this.#outside.after(WRITE_REST_MS, resolve));
    return hashOf(this.#outside, file);
  }

  #isWithin(ctimeMs: number | null, toMs: number): boolean {
    return ctimeMs !== null && ctimeMs + CLOCK_STEP_MS >= this.startedMs && ctimeMs <= toMs;
  }

  async #changedMs(file: string): Promise<number | null> {
    const found = await this.#outside.stat(file).catch(() => null);
    return found?.ctimeMs ?? null;
  }
}

/** A time in whole seconds is that of a file system which keeps no others, where an edit may leave it as it was. */
function isUntouched(before: Look, ctimeMs: number | null): boolean {
  return ctimeMs !== null && ctimeMs === before.ctimeMs && ctimeMs % 1_000 !== 0;
}

/** @returns SHA-256 in hexadecimal digits; null when the file cannot be read or is too large to */
export async function hashOf(outside: Outside, file: string): Promise<string | null> {
  try {
    if ((await outside.stat(file)).size > COMPARED_BYTES_MAX) return null;
    return createHash('sha256')
      .update(await outside.readFile(file))
      .digest('hex');
  } catch {
    return null;
  }
}
