// A built file that is replaced by the next version, as by an edit and a build.
import { appendFileSync, copyFileSync, renameSync } from 'node:fs';

export class Builds {
  #built;
  #file;
  #count = 0;

  /** @param {readonly string[]} built versions 1, 2 … which take turns @param {string} file where a builder would write them */
  constructor(built, file) {
    this.#built = built;
    this.#file = file;
  }

  /** Each time with bytes that were never there, and in one step, as a linker does it. @returns {number} the version */
  install() {
    const at = this.#count++ % this.#built.length;
    const next = `${this.#file}.new`;
    copyFileSync(this.#built[at] ?? '', next);
    appendFileSync(next, String(this.#count).padStart(8, '0'));
    renameSync(next, this.#file);
    return at + 1;
  }
}
