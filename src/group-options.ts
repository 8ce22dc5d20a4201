/** What `openGroup()` takes, checked and put in order. */
import type { SourcePath } from './brands.ts';
import { errors } from './errors.ts';
import { putInOrder } from './group-order.ts';
import { resolveSource } from './open-workshop.ts';
import { within } from './option-checks.ts';
import { type OpenOptions, type Options, resolveOptions } from './options.ts';

/** One addon of a group. */
export interface MemberOptions<Name extends string = string> extends Omit<OpenOptions, 'isolation'> {
  /** With 'worker' or 'process', give the exports as `Remote` of what they are. @defaultValue 'inline' */
  readonly isolation?: 'inline' | 'worker' | 'process';
  /** Path of the built `.node` file, relative to the working directory. No other member has the same. */
  readonly file: string;
  /** The members that this one depends on: each step of a reload is done for them first. @defaultValue none */
  readonly after?: readonly Name[];
}

/** The addons of a group by their names, which `M` gives with the types of their exports. */
export type GroupMemberOptions<M extends object> = {
  readonly [K in keyof M]: MemberOptions<Exclude<keyof M, K> & string>;
};

export interface ResolvedMember {
  readonly name: string;
  readonly source: SourcePath;
  readonly options: Options;
}

/**
 * Checks what a user gave and fills in the rest.
 *
 * @param shared options for all members, where they have none of their own
 * @returns the members in the order in which they reload
 * @throws `ERR_INVALID_OPTION` at the first option that cannot be used; `ERR_GROUP_CYCLE`
 */
export function resolveMembers(
  members: unknown,
  shared: unknown,
): readonly [ResolvedMember, ...ResolvedMember[]] {
  resolveOptions(shared);
  const given = Object.entries(asRecord(members, 'members'));
  const names = given.map(([name]) => name);
  const after = new Map<string, readonly string[]>();
  const resolved = new Map<string, ResolvedMember>();
  for (const [name, value] of given) {
    const { file, after: others, ...own } = asRecord(value, name);
    after.set(name, resolveAfter(name, others, names));
    const source = resolveSource(file, `${name}.file`);
    for (const other of resolved.values()) {
      if (other.source !== source) continue;
      throw invalid(`${name}.file`, `the file of member ${JSON.stringify(other.name)}`, 'a file of its own');
    }
    const options = within(name, () => resolveOptions({ ...(shared as OpenOptions), ...own }));
    resolved.set(name, { name, source, options });
  }
  refuseMixture([...resolved.values()]);
  const [first, ...rest] = putInOrder(after).flatMap((name) => resolved.get(name) ?? []);
  if (first === undefined) throw invalid('members', 'none', 'at least one addon');
  return [first, ...rest];
}

/** Threads that share an image stop for its reload, and may not be kept waiting by another process. */
function refuseMixture(members: readonly ResolvedMember[]): void {
  const elsewhere = members.find(
    ({ options }) => options.isolation !== 'inline' || options.fallback !== null,
  );
  const shared = members.find(({ options }) => options.scope === 'process');
  if (elsewhere === undefined || shared === undefined) return;
  const found = `'process' beside member ${JSON.stringify(elsewhere.name)}, which runs elsewhere`;
  throw invalid(`${shared.name}.scope`, found, "'thread'");
}

function resolveAfter(name: string, value: unknown, names: readonly string[]): readonly string[] {
  if (value === undefined) return [];
  const wanted = `an array of names of members: ${names.join(', ')}`;
  if (!Array.isArray(value)) throw invalid(`${name}.after`, String(value), wanted);
  for (const other of value) {
    if (!names.includes(other)) throw invalid(`${name}.after`, JSON.stringify(other), wanted);
  }
  return value;
}

function asRecord(value: unknown, option: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw invalid(option, String(value), 'an object');
}

function invalid(option: string, found: string, wanted: string): Error {
  return errors.invalidOption({ option, found, wanted });
}
