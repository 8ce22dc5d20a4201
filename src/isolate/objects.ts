/** What of one side the other side holds, by number. */

/**
 * A number that is needed no more, and how often it has arrived: the other side may have sent it once more since, and
 * then it still is.
 */
export type Released = readonly [id: number, sends: number];

interface Entry<T> {
  readonly object: T;
  /** How often its number was sent, as far as the other side has not let go of that. */
  sends: number;
}

/** Objects and functions that stay as long as the other side has not let go of all that it was sent of their numbers. */
export class Held<T extends object> {
  readonly #byId = new Map<number, Entry<T>>();
  readonly #ids = new WeakMap<T, number>();
  #last = 0;
  #step = 1;

  /** Numbers go down from there, so that they are none of the other side's. */
  countFrom(first: number): void {
    this.#last = first + 1;
    this.#step = -1;
  }

  get(id: number): T | undefined {
    return this.#byId.get(id)?.object;
  }

  /**
   * The number of an object, a new one where it has none.
   *
   * @param sends 0 where it is written down, and may never be sent
   */
  idOf(object: T, sends = 1): number {
    const known = this.#ids.get(object);
    const entry = known === undefined ? undefined : this.#byId.get(known);
    if (known !== undefined && entry !== undefined) {
      entry.sends += sends;
      return known;
    }
    this.#last += this.#step;
    this.set(this.#last, object, sends);
    return this.#last;
  }

  /** One that the other side knows by that number. */
  set(id: number, object: T, sends = 1): void {
    this.#byId.set(id, { object, sends });
    this.#ids.set(object, id);
  }

  release([id, sends]: Released): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    entry.sends -= sends;
    if (entry.sends <= 0) this.#byId.delete(id);
  }

  *entries(): Generator<[number, T]> {
    for (const [id, { object }] of this.#byId) yield [id, object];
  }

  clear(): void {
    this.#byId.clear();
  }
}
