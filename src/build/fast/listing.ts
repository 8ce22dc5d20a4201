/** What GCC prints of the headers that it reads, with `-H`. */
import path from 'node:path';

/** Longest list that is kept. */
export const FILES_MAX = 5_000;
/** Without a guard, and meant to be included as often as one likes: the second time they say the same. */
const REPEATABLE: ReadonlySet<string> = new Set(['<assert.h>', '<cassert>', '<stddef.h>', '<limits.h>']);

export class Listing {
  /** Absolute paths, of headers of the system, too. */
  readonly files: Set<string> = new Set();
  readonly #cwd: string;
  readonly #first = new Set<string>();
  readonly #unguarded = new Set<string>();
  #isTold = false;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  line(text: string): void {
    const [, dots = '', file] = /^(\.+) (.+)$/.exec(text) ?? [];
    if (text === 'Multiple include guards may be useful for:') this.#isTold = true;
    else if (file !== undefined && this.files.size <= FILES_MAX) {
      this.files.add(path.resolve(this.#cwd, file));
      if (dots === '.') this.#first.add(file);
    } else if (this.#isTold) this.#unguarded.add(text);
  }

  /**
   * Those before the first that would be read once more, where the source itself includes it: a header without a guard
   * may mean something else then.
   */
  guarded(includes: readonly string[]): readonly string[] {
    const open = [...this.#first].filter((file) => this.#unguarded.has(file));
    const end = includes.findIndex(
      (name) => !REPEATABLE.has(name) && open.some((file) => file.endsWith(`/${name.slice(1, -1)}`)),
    );
    return end === -1 ? includes : includes.slice(0, end);
  }
}
