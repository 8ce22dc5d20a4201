/** How a handle has versions run, or tried, in other threads and processes. */
import { isReloadError } from './errors.ts';
import { HostedVersion } from './isolate/hosted-version.ts';
import type { Hosts } from './isolate/hosts.ts';
import type { LoadRequest } from './isolate/messages.ts';
import { rehearse } from './isolate/rehearsal.ts';
import { runSteps, type Steps, settled } from './later.ts';
import type { Staged } from './stage/stager.ts';
import type { Reason } from './state/hooks.ts';
import { chooseSchema, migrate } from './state/migrate.ts';
import { copyState, type Given } from './state/roundtrip.ts';
import { hostOf, liveCode, type LoadedCode, type Version } from './version.ts';
import { admitVersion, type Hosting, type Workshop } from './workshop.ts';

/** @throws what the host refused it for; the host has ended by then */
export async function loadHosted(
  shop: Workshop,
  { hosts, supervisor }: Hosting,
  staged: Staged,
  candidate: Version,
): Promise<LoadedCode> {
  const { options, outside } = shop;
  const host = new HostedVersion({
    ...toLoad(shop, staged, candidate),
    callTimeoutMs: options.callTimeoutMs,
    ...{
      outside,
      standIns: hosts.standIns,
      supervision: supervisor,
      start: hosts.start,
      giveBack: hosts.giveBack,
      reuses: options.host.reuse,
      isShared: hosts.isShared,
    },
    claimMemory: () => shop.memory.claim(candidate.id, false),
  });
  const { exports, hooks } = await host.load();
  // In a process its mappings are none of ours.
  shop.budget.release(candidate.mappings);
  candidate.mappings = 0;
  admitVersion(shop, candidate, { kind: 'hosted', host });
  candidate.schema = hooks.schema;
  return { exports, hooks };
}

/**
 * Has a new version load in a throw-away process, and take a copy of the state.
 *
 * @throws what its rehearsal was refused for
 */
export async function tryOut(
  shop: Workshop,
  rehearsals: Hosts,
  staged: Staged,
  candidate: Version,
  { reason, discardState }: { readonly reason: Reason; readonly discardState: boolean },
): Promise<void> {
  const { outside, serving, options } = shop;
  const saved = discardState ? undefined : await saveCopy(shop);
  const load = toLoad(shop, staged, candidate);
  const memory = shop.memory.claim(candidate.id, discardState);
  await rehearse({ ...load, outside, start: rehearsals.start, memory, reason }, (next) => {
    if (serving === null || saved === undefined) return { state: undefined };
    const { hooks } = liveCode(serving);
    const schema = chooseSchema(hooks.schema, next, options.migrate);
    const state = migrate(saved.copy, hooks.schema, schema, options.migrate);
    return { state, from: { version: serving.id, schema } };
  });
}

/** What of a staged version goes to another thread or process. */
function toLoad(
  { source, options }: Workshop,
  { path, hash, libraries }: Staged,
  { id }: Version,
): LoadRequest {
  const { stageDir, reclaim, hookTimeoutMs } = options;
  const libraryHashes = libraries.map((library) => library.hash);
  return { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs };
}

/** What the version that serves would hand over now. It goes on as if nothing had been asked. */
async function saveCopy({ serving, events, source }: Workshop): Promise<Given | undefined> {
  if (serving === null || !liveCode(serving).hooks.has('save')) return undefined;
  const { given, cause } = await runSteps(saveAndGoOn(serving, source));
  if (cause !== undefined) {
    const message = `the state of version ${serving.id} is no plain data: the new version was rehearsed without it`;
    events.emit('warning', { code: 'rehearsed-without-state', message, cause });
  }
  return given;
}

/** As in a switch that fails: no call comes between `save` and `resume`, nor anything that would change what is copied. */
function* saveAndGoOn(
  serving: Version,
  addon: string,
): Steps<{ readonly given?: Given | undefined; readonly cause?: unknown }> {
  const { hooks } = liveCode(serving);
  const host = hostOf(serving);
  host?.hold();
  try {
    const state: unknown = yield* settled(hooks.callSync('save'));
    return { given: state === undefined ? undefined : copyState(state, { addon, version: serving.id }) };
  } catch (cause) {
    if (isReloadError(cause, 'ERR_STATE_ROUNDTRIP')) return { cause };
    throw cause;
  } finally {
    try {
      yield* settled(hooks.callSync('resume'));
    } finally {
      host?.release();
    }
  }
}
