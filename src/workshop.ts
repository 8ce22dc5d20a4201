/** What belongs to one handle: its parts, its versions, and how a version enters and leaves the books. */
import type { ContentHash, SourcePath, StagedPath, VersionId } from './brands.ts';
import type { Builder } from './build/builder.ts';
import { createDeadline } from './deadline.ts';
import { describe } from './errors.ts';
import type { Events } from './events.ts';
import type { Options } from './options.ts';
import type { Outside } from './outside.ts';
import type { Retirement } from './report.ts';
import type { Budget } from './retire/budget.ts';
import { retire } from './retire/retire.ts';
import type { Staged, Stager } from './stage/stager.ts';
import type { Hooks } from './state/hooks.ts';
import type { LiveExports } from './swap/live-exports.ts';
import { enter, type Version } from './version.ts';

/** What the stages of one handle share. */
export interface Workshop {
  readonly source: SourcePath;
  readonly options: Options;
  readonly outside: Outside;
  readonly events: Events;
  readonly builder: Builder | null;
  readonly stager: Stager;
  readonly live: LiveExports;
  readonly budget: Budget;
  /** Every version whose image is in memory, oldest first. */
  readonly versions: Version[];
  serving: Version | null;
  nextId: number;
  /** Bytes that were refused last: the watcher does not try them again. */
  rejected: ContentHash | null;
}

export function createCandidate(shop: Workshop, { path, hash, bytes }: Staged): Version {
  const id = shop.nextId as VersionId;
  shop.nextId += 1;
  const { source } = shop;
  return { id, hash, source, path, bytes, schema: null, loadedAt: Date.now(), state: { name: 'candidate' } };
}

/** Its image is mapped and stays so: the list says it, and the budget counts it. */
export function keepDiscarded(shop: Workshop, candidate: Version): void {
  enter(candidate, { name: 'discarded', reason: 'no-ledger' });
  shop.versions.push(candidate);
  shop.budget.keep();
}

/** Ends a version that served. Also the last step of `close()`. */
export async function retireVersion(
  shop: Workshop,
  version: Version,
  hooks: Hooks | null,
): Promise<Retirement> {
  const retirement = await retire(
    version,
    async () => {
      if (hooks !== null) await dispose(shop, hooks);
    },
    (cause) => warnOfDispose(shop, version, cause),
  );
  shop.budget.keep();
  await discard(shop, version.path);
  return retirement;
}

/** A copy that cannot be deleted hides no other failure and undoes no swap: it goes with the directory, at the close. */
export async function discard(shop: Workshop, staged: StagedPath): Promise<void> {
  try {
    await shop.stager.discard(staged);
  } catch (cause) {
    const message = `cannot delete the staged copy ${JSON.stringify(staged)}: ${describe(cause)}`;
    shop.events.emit('warning', { code: 'discard-failed', message, cause });
  }
}

/** Lets a version that never served stop what its `prepare` or `init` began. */
export async function disposeDiscarded(shop: Workshop, candidate: Version, hooks: Hooks): Promise<void> {
  await dispose(shop, hooks).catch((cause: unknown) => warnOfDispose(shop, candidate, cause));
}

/** Bounded by time alone: the end of the handle must not keep a version from stopping its threads. */
async function dispose(shop: Workshop, hooks: Hooks): Promise<void> {
  const { hookTimeoutMs: timeoutMs } = shop.options;
  await hooks.callAsync(
    'dispose',
    createDeadline({ timeoutMs, signal: null, during: 'dispose' }, shop.outside),
  );
}

function warnOfDispose(shop: Workshop, version: Version, cause: unknown): void {
  const message = `dispose of version ${version.id} failed: ${describe(cause)}`;
  shop.events.emit('warning', { code: 'dispose-failed', message, cause });
}
