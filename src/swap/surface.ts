/**
 * The properties of one facade object that are ours. What the user put there, or put in place of ours, is the user's:
 * it is left alone. What the user deleted is defined again by the next version that has it.
 */

/** Done at the publish; does not throw. */
export type Edit = () => void;

/** Called with what is in the way; throws. */
export type Refuse = (found: string) => never;

export class Surface {
  readonly #object: object;
  #defined: ReadonlyMap<PropertyKey, PropertyDescriptor>;
  #parent: object | null;

  /** @param ours keys of properties that the object came with, and that are ours */
  constructor(object: object, ours: readonly PropertyKey[] = []) {
    this.#object = object;
    const defined = new Map<PropertyKey, PropertyDescriptor>();
    for (const key of ours) {
      const property = Object.getOwnPropertyDescriptor(object, key);
      if (property) defined.set(key, property);
    }
    this.#defined = defined;
    this.#parent = Object.getPrototypeOf(object);
  }

  /**
   * Compares with what is wanted, and changes nothing.
   *
   * @throws what `refuse` throws, where the user froze what would have to change
   */
  plan(wanted: ReadonlyMap<PropertyKey, PropertyDescriptor>, refuse: Refuse): Edit {
    const defined = new Map<PropertyKey, PropertyDescriptor>();
    const edits: Edit[] = [];
    const compare = (key: PropertyKey, after: PropertyDescriptor | undefined): void => {
      const actual = Object.getOwnPropertyDescriptor(this.#object, key);
      const before = this.#defined.get(key);
      if (actual && !(before && isSameContent(actual, before))) return;
      if (after) defined.set(key, after);
      if (!this.#needsEdit(actual, after)) return;
      if (!this.#allowsEdit(actual, after))
        refuse(`a frozen facade, whose property ${JSON.stringify(String(key))} changes`);
      edits.push(() => this.#edit(key, after));
    };
    for (const [key, after] of wanted) compare(key, after);
    for (const key of this.#defined.keys()) if (!wanted.has(key)) compare(key, undefined);
    return () => {
      for (const edit of edits) edit();
      this.#defined = defined;
    };
  }

  /**
   * The same for what the object inherits from. Two steps, since a class hierarchy that turns upside down has a cycle
   * on the way.
   */
  planParent(wanted: object | null, refuse: Refuse): { readonly detach: Edit; readonly attach: Edit } | null {
    const actual = Object.getPrototypeOf(this.#object);
    if (actual !== this.#parent || actual === wanted) return null;
    if (!Object.isExtensible(this.#object)) refuse('a frozen facade, whose parent class changes');
    return {
      detach: () => void Reflect.setPrototypeOf(this.#object, null),
      attach: () => {
        Reflect.setPrototypeOf(this.#object, wanted);
        this.#parent = wanted;
      },
    };
  }

  #needsEdit(actual: PropertyDescriptor | undefined, after: PropertyDescriptor | undefined): boolean {
    if (!actual || !after) return actual !== after;
    return !isSameContent(actual, after) || actual.enumerable !== after.enumerable;
  }

  #allowsEdit(actual: PropertyDescriptor | undefined, after: PropertyDescriptor | undefined): boolean {
    if (!actual) return Object.isExtensible(this.#object);
    if (actual.configurable) return true;
    const isData = after !== undefined && 'value' in after;
    return isData && actual.writable === true && actual.enumerable === after.enumerable;
  }

  #edit(key: PropertyKey, after: PropertyDescriptor | undefined): void {
    if (!after) {
      Reflect.deleteProperty(this.#object, key);
      return;
    }
    // A sealed object still takes a new value, but none of the other attributes.
    const { value } = after;
    if (!Reflect.defineProperty(this.#object, key, after))
      Reflect.defineProperty(this.#object, key, { value });
  }
}

function isSameContent(a: PropertyDescriptor, b: PropertyDescriptor): boolean {
  return Object.is(a.value, b.value) && a.get === b.get && a.set === b.set;
}
