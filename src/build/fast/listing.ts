/** What GCC prints of the headers that it reads, with `-H`, and of the folders that it searches for them, with `-v`. */
import path from 'node:path';

/** Longest list that is kept. */
export const FILES_MAX = 5_000;
/** Without a guard, and meant to be included as often as one likes: the second time they say the same. */
const REPEATABLE: ReadonlySet<string> = new Set(['<assert.h>', '<cassert>', '<stddef.h>', '<limits.h>']);

/** A folder of the search that was not there. */
const ABSENT = /^ignoring nonexistent directory "(.+)"$/;

export class Listing {
  /** Absolute paths, of headers of the system, too. */
  readonly files: Set<string> = new Set();
  /** Absolute paths of all that are searched, also of those that are not there, in no order. */
  readonly folders: Set<string> = new Set();
  readonly #cwd: string;
  readonly #first = new Set<string>();
  readonly #unguarded = new Set<string>();
  #isTold = false;
  #isSearched = false;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  line(text: string): void {
    const [, dots = '', file] = /^(\.+) (.+)$/.exec(text) ?? [];
    const folder = ABSENT.exec(text)?.[1] ?? (this.#isSearched ? /^ (.+)$/.exec(text)?.[1] : undefined);
    if (text.endsWith(' search starts here:')) this.#isSearched = true;
    else if (text === 'End of search list.') this.#isSearched = false;
    else if (folder !== undefined) this.folders.add(path.resolve(this.#cwd, folder));
    else if (text === 'Multiple include guards may be useful for:') this.#isTold = true;
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
