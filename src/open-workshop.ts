/** How the parts of a handle are put together, and how they are taken apart. */
import path from 'node:path';
import type { SourcePath } from './brands.ts';
import type { Builder } from './build/builder.ts';
import { createBuilder } from './build/create-builder.ts';
import { errors } from './errors.ts';
import { Events } from './events.ts';
import { History } from './history.ts';
import { Hosts } from './isolate/hosts.ts';
import { Supervisor } from './isolate/supervisor.ts';
import type { Options } from './options.ts';
import { type Outside, realOutside } from './outside.ts';
import { createBudget } from './retire/budget.ts';
import { endPinned } from './retire/retire.ts';
import { openStager, type StagerOptions } from './stage/stager.ts';
import { NamedMemory } from './state/memory.ts';
import { createLiveExports } from './swap/live-exports.ts';
import { liveCode } from './version.ts';
import { type Hosting, lookAtPinned, retireVersion, type Workshop } from './workshop.ts';

/** One bound for all handles of this thread: what it guards is the process. */
const budget = createBudget(realOutside);

/** @throws `ERR_INVALID_OPTION` for `option` */
export function resolveSource(file: unknown, option: string): SourcePath {
  if (typeof file === 'string' && file !== '' && !file.includes('\0'))
    return path.resolve(file) as SourcePath;
  throw errors.invalidOption({ option, found: String(file), wanted: 'the path of a .node file' });
}

/**
 * @param given the builder, where it is not made of the options
 * @throws `ERR_STAGE_IO`, `ERR_BUILD_FAILED`
 */
export async function openWorkshop(
  source: SourcePath,
  options: Options,
  outside: Outside,
  given: Builder | null = null,
): Promise<Workshop> {
  const builder = given ?? (await createBuilder(options.build, source, outside));
  const shop = setUpWorkshop(source, options, outside);
  shop.builder = builder;
  return shop;
}

/**
 * Of a workshop that was set up without its builder.
 *
 * @throws `ERR_INVALID_OPTION`
 */
export async function findBuilder(shop: Workshop): Promise<void> {
  shop.builder = await createBuilder(shop.options.build, shop.source, shop.outside);
}

/**
 * Nobody builds in it yet.
 *
 * @param adopted see {@link createLiveExports}
 * @throws `ERR_STAGE_IO`
 */
export function setUpWorkshop(
  source: SourcePath,
  options: Options,
  outside: Outside,
  adopted: object | null = null,
): Workshop {
  const events = new Events();
  if (options.onProgress !== null) events.on('progress', options.onProgress);
  const shop: Workshop = {
    source,
    options,
    outside,
    builder: null,
    budget,
    events,
    stager: openStager(stagerOptions(source, options, options.build.kind !== 'none'), outside),
    live: createLiveExports(source, outside.native, adopted),
    memory: new NamedMemory(source, outside.native),
    versions: [],
    pinned: new Map(),
    history: new History(options.history),
    round: null,
    serving: null,
    nextId: 1,
    built: null,
    rejected: null,
    rehearsals: options.rehearse ? new Hosts('rehearsal', options.host, source, outside) : null,
    hosting: createHosting(source, options, events, outside, (from) => shop.goBack(from)),
    goBack: () => Promise.reject(errors.closed({ addon: source, attempted: 'go back' })),
  };
  return shop;
}

function createHosting(
  source: SourcePath,
  { isolation, fallback, host, supervise, checkpointMs }: Options,
  events: Events,
  outside: Outside,
  goBack: (from: number) => Promise<unknown>,
): Hosting | null {
  const kind = isolation === 'inline' ? fallback : isolation;
  if (kind === null) return null;
  const hosts = new Hosts(kind, host, source, outside);
  return { hosts, supervisor: new Supervisor({ supervise, checkpointMs, events, outside, goBack }) };
}

function stagerOptions(source: SourcePath, options: Options, writerEnds: boolean): StagerOptions {
  // Integrity is judged by the bytes as they came, so nothing may be done to them before.
  const examine = options.integrity === null;
  // Another process binds a copy of its own: the addresses of this one are of no use to it.
  const isForHere = options.isolation === 'inline' && !options.rehearse && options.fallback === null;
  const rebind = options.reclaim !== 'never' && isForHere;
  const wanted = { examine, rebind, libraries: options.reclaim !== 'never' || !examine };
  return { source, stageDir: options.stageDir, writerEnds, wanted };
}

/** From here on its exports throw. */
export function revokeExports({ live, source }: Workshop): void {
  live.revoke(() => errors.closed({ addon: source, attempted: 'call an export' }));
}

/** Ends the version that serves, and deletes the copies. Nothing of the handle may run any more but its exports' code. */
export async function endWorkshop(shop: Workshop): Promise<void> {
  const { serving, stager, memory, hosting } = shop;
  lookAtPinned(shop);
  hosting?.supervisor.close();
  if (serving !== null) await retireVersion(shop, serving, liveCode(serving).hooks);
  await Promise.all([...shop.pinned].map(([version, request]) => endPinned(version, request)));
  await hosting?.hosts.close();
  await shop.rehearsals?.close();
  memory.close();
  shop.history.clear();
  stager.close();
}
