/** Several addons that reload together or not at all. */
import { Addon } from './addon.ts';
import { errors } from './errors.ts';
import { Events, type GroupEvents, type GroupListener } from './events.ts';
import { type GroupMemberOptions, type ResolvedMember, resolveMembers } from './group-options.ts';
import { endWorkshop, openWorkshop } from './open-workshop.ts';
import type { OpenOptions } from './options.ts';
import { type Outside, realOutside } from './outside.ts';
import {
  type ReloadOptions,
  type RollbackOptions,
  resolveGroupReload,
  resolveRollback,
} from './reload-options.ts';
import type { GroupReport, ReloadReport } from './report.ts';
import { Runner } from './runner.ts';
import { subjectOf, trace } from './tracing.ts';
import type { Workshop } from './workshop.ts';

/** The handles of a group by the names of its members, in the order in which they reload. */
export type GroupMembers<M extends object> = { readonly [K in keyof M]: Addon<M[K]> };

/**
 * Addons that reload together. Made by {@link openGroup}.
 *
 * A member is a handle like any other, but cannot go alone: its `reload()` is that of the group, and its `close()`
 * closes the group.
 *
 * @example
 * ```ts
 * await using group = await openGroup({ core: { file: 'build/Release/core.node' } });
 * await group.reload();
 * ```
 */
export class AddonGroup<M extends object = Record<string, unknown>> {
  /** The handles, by the names of the members. */
  readonly members: GroupMembers<M>;
  readonly #runner: Runner<GroupReport<M>>;
  readonly #events: Events<GroupEvents<M>>;

  /** @internal Use {@link openGroup}. */
  private constructor(
    members: GroupMembers<M>,
    runner: Runner<GroupReport<M>>,
    events: Events<GroupEvents<M>>,
  ) {
    this.members = members;
    this.#runner = runner;
    this.#events = events;
  }

  /** @internal Use {@link openGroup}; `outside` is for tests, which make it fail. */
  static async open<M extends object>(
    members: GroupMemberOptions<M>,
    options: OpenOptions,
    outside: Outside,
  ): Promise<AddonGroup<M>> {
    const resolved = resolveMembers(members, options);
    return trace({ operation: 'open', ...subjectOf(resolved), trigger: 'first' }, async () => {
      const aborted = resolved.find((member) => member.options.signal?.aborted)?.options.signal;
      if (aborted) throw errors.aborted({ during: 'open' }, aborted.reason);
      const shops = await openWorkshops(resolved, outside);
      const names = resolved.map(({ name }) => name);
      const events = new Events<GroupEvents<M>>();
      const runner = new Runner<GroupReport<M>>({
        shops,
        conclude: (reports) => conclude(names, reports),
        observer: {
          changed: (files) => events.emit('changed', { files }),
          ended: (report) => events.emit(report.status, report),
          failed: (error) => events.emit('failed', error),
          closed: () => events.emit('closed'),
        },
      });
      await runner.start();
      return new AddonGroup<M>(handlesOf(names, shops, runner), runner, events);
    });
  }

  /**
   * Builds what has a builder, and makes what was built live: of all members, or of none. Calls that come while a reload
   * runs share one more, after it.
   *
   * @param options for all members: with `force`, each gets a new version
   * @throws {@link ReloadError} of the stage that refused; `details.addon` is the file of the member that it is about.
   *   All versions that served before go on serving
   */
  async reload(options: Omit<ReloadOptions, 'to'> = {}): Promise<GroupReport<M>> {
    const { force, discardState } = resolveGroupReload(options);
    return this.#runner.reload({ trigger: 'call', force, discardState, goal: { kind: 'built' } });
  }

  /**
   * Undoes the last change of the group: the members that it gave new versions go back, the others stay. Called again,
   * it goes further back.
   *
   * @throws {@link ReloadError} as `rollback()` of a handle does; then no member goes back
   */
  async rollback(options: RollbackOptions = {}): Promise<GroupReport<M>> {
    const { discardState } = resolveRollback(options);
    return this.#runner.reload({ trigger: 'call', force: true, discardState, goal: { kind: 'before' } });
  }

  /**
   * Has a listener called for each event of that name. What it throws, or rejects with, becomes a process warning.
   *
   * @returns the group
   * @example
   * ```ts
   * group.on('failed', ({ code, details }) => console.error(code, details));
   * ```
   */
  on<K extends keyof GroupEvents<M>>(event: K, listener: GroupListener<M, K>): this {
    this.#events.on(event, listener);
    return this;
  }

  /**
   * Has a listener called for the next event of that name alone.
   *
   * @returns the group
   * @example
   * ```ts
   * group.once('reloaded', ({ members }) => console.log(Object.keys(members)));
   * ```
   */
  once<K extends keyof GroupEvents<M>>(event: K, listener: GroupListener<M, K>): this {
    this.#events.once(event, listener);
    return this;
  }

  /**
   * Takes a listener off again, one of `on` or of `once`. One that was never put on is no error.
   *
   * @returns the group
   * @example
   * ```ts
   * const tell = (): void => console.log('closed');
   * group.on('closed', tell).off('closed', tell);
   * ```
   */
  off<K extends keyof GroupEvents<M>>(event: K, listener: GroupListener<M, K>): this {
    this.#events.off(event, listener);
    return this;
  }

  /** Ends all members, the last one first, each as `close()` of a handle does. Safe to call twice; never rejects. */
  close(): Promise<void> {
    return this.#runner.close();
  }

  /** As `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens addons that depend on each other. They reload together or not at all: all are built, staged, loaded and
 * prepared, then all switch in one turn of the event loop. A failure of any of them leaves all on the versions before.
 *
 * @typeParam M names of the members with the types of their exports
 * @param options for all members, where a member has none of its own
 * @throws {@link ReloadError} as {@link open} does; `ERR_GROUP_CYCLE`. No member is left open then
 * @example
 * ```ts
 * const group = await openGroup<{ core: Core; search: Search }>(
 *   {
 *     core: { file: 'build/Release/core.node' },
 *     search: { file: 'build/Release/search.node', after: ['core'] },
 *   },
 *   { build: 'node-gyp', watch: true },
 * );
 * const { core, search } = group.members;
 * ```
 */
export function openGroup<M extends object>(
  members: GroupMemberOptions<M>,
  options: OpenOptions = {},
): Promise<AddonGroup<M>> {
  return AddonGroup.open<M>(members, options, realOutside);
}

async function openWorkshops(
  [first, ...others]: readonly [ResolvedMember, ...ResolvedMember[]],
  outside: Outside,
): Promise<readonly [Workshop, ...Workshop[]]> {
  const shops: [Workshop, ...Workshop[]] = [await openWorkshop(first.source, first.options, outside)];
  try {
    for (const { source, options } of others) shops.push(await openWorkshop(source, options, outside));
    return shops;
  } catch (error) {
    for (const shop of shops) await endWorkshop(shop);
    throw error;
  }
}

function handlesOf<M extends object>(
  names: readonly string[],
  shops: readonly Workshop[],
  runner: Runner<GroupReport<M>>,
): GroupMembers<M> {
  const handles = shops.map((shop, index) => {
    const name = names[index] as keyof M;
    const reload = async (request: Parameters<typeof runner.reload>[0]): Promise<ReloadReport> =>
      (await runner.reload(request)).members[name];
    return [name, new Addon(shop, { reload, close: () => runner.close() })];
  });
  return Object.fromEntries(handles) as GroupMembers<M>;
}

function conclude<M extends object>(
  names: readonly string[],
  reports: readonly ReloadReport[],
): GroupReport<M> {
  const isReloaded = reports.some(({ status }) => status === 'reloaded');
  const members = Object.fromEntries(names.map((name, index) => [name, reports[index]]));
  return {
    status: isReloaded ? 'reloaded' : 'unchanged',
    members: members as GroupReport<M>['members'],
  };
}
