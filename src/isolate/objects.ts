/** What of one side the other side holds, by number. */

/** Objects and functions that stay as long as the other side has not let go of their numbers. */
export class Held<T extends object> {
  readonly #byId = new Map<number, T>();
  readonly #ids = new WeakMap<T, number>();
  #last = 0;
  #step = 1;

  get size(): number {
    return this.#byId.size;
  }

  /** Numbers go down from there, so that they are none of the other side's. */
  countFrom(first: number): void {
    this.#last = first + 1;
    this.#step = -1;
  }

  get(id: number): T | undefined {
    return this.#byId.get(id);
  }

  /** The number of an object, a new one where it has none. */
  idOf(object: T): number {
    const known = this.#ids.get(object);
    if (known !== undefined && this.#byId.has(known)) return known;
    this.#last += this.#step;
    this.set(this.#last, object);
    return this.#last;
  }

  set(id: number, object: T): void {
    this.#byId.set(id, object);
    this.#ids.set(object, id);
  }

  delete(id: number): void {
    this.#byId.delete(id);
  }

  entries(): IterableIterator<[number, T]> {
    return this.#byId.entries();
  }

  clear(): void {
    this.#byId.clear();
  }
}
