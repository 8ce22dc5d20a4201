/** In which order the members of a group reload. */
import { errors } from './errors.ts';

/**
 * Puts each name after those that it is to come after; otherwise as early as it was given.
 *
 * @param after for each name, in the order in which they were given: the names, of the same map, that come before it
 * @throws `ERR_GROUP_CYCLE`
 */
export function putInOrder(after: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const order = new Set<string>();
  const place = (name: string, waiting: readonly string[]): void => {
    if (order.has(name)) return;
    const path = [...waiting, name];
    const start = waiting.indexOf(name);
    if (start !== -1) throw errors.groupCycle({ path: path.slice(start) });
    for (const other of after.get(name) ?? []) place(other, path);
    order.add(name);
  };
  for (const name of after.keys()) place(name, []);
  return [...order];
}
