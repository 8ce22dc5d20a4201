/** The own properties of an object, to be put back as they were. */

/** Null stands for none at all, which is what most instances of native classes have. */
export type OwnProperties = readonly (readonly [PropertyKey, PropertyDescriptor])[] | null;

export function readOwnProperties(object: object): OwnProperties {
  const keys = Reflect.ownKeys(object);
  if (keys.length === 0) return null;
  return keys.flatMap((key) => {
    const property = Object.getOwnPropertyDescriptor(object, key);
    return property ? [[key, property] as const] : [];
  });
}

/** Makes the properties those that were read. What was frozen meanwhile stays as it is. */
export function putBackOwnProperties(object: object, properties: OwnProperties): void {
  const wanted = new Map(properties ?? []);
  for (const key of Reflect.ownKeys(object)) if (!wanted.has(key)) Reflect.deleteProperty(object, key);
  for (const [key, property] of wanted) Reflect.defineProperty(object, key, property);
}
