/** What of a handle and its events goes over the link. */
import type { Addon } from '../addon.ts';
import type { AddonEvents, HostCrash } from '../events.ts';
import { describe, isReloadError } from '../errors.ts';
import type { ReloadedReport } from '../report.ts';
import type { VersionInfo } from '../version.ts';
import type { LinkEvent, LinkFailure, LinkHandle, LinkVersion } from './messages.ts';

/** Versions of one handle that are told of, the last ones: who keeps thousands has other troubles. */
const VERSIONS_MAX = 200;

/** @param addon absolute path of what the handle serves */
export function summarizeHandle(handle: number, addon: string, of: Addon): LinkHandle {
  const current = currentOf(of);
  return {
    handle,
    addon,
    serving: current?.id ?? null,
    versions: of.versions().slice(-VERSIONS_MAX).map(summarizeVersion),
    libraries: current?.libraries.map(({ source }) => source) ?? [],
  };
}

/** The version that serves; null when none has. */
export function currentOf(addon: Addon): VersionInfo | null {
  try {
    return addon.current;
  } catch (error) {
    if (isReloadError(error, 'ERR_CLOSED')) return null;
    throw error;
  }
}

function summarizeVersion({ id, hash, state, bytes, reason, pins, sharedWith }: VersionInfo): LinkVersion {
  return { id, hash, state, bytes, reason, pins, sharedWith };
}

export function summarizeFailure(error: unknown): LinkFailure {
  if (!isReloadError(error)) return { code: 'ERR_INTERNAL', message: describe(error), version: null };
  const { code, message, details } = error;
  const version = 'version' in details ? details.version : null;
  return { code, message, version };
}

type Summaries = { readonly [K in keyof AddonEvents]?: (...args: AddonEvents[K]) => LinkEvent };

/** What each event of a handle becomes. Those that are missing tell of builds and watches, which the other end has. */
export const EVENT_SUMMARIES: Summaries = {
  progress: ({ phase, step }) => ({ name: 'progress', phase, step: step ?? null }),
  reloaded: summarizeReload,
  unchanged: ({ to, reason }) => ({ name: 'unchanged', id: to, reason }),
  failed: (error) => ({ name: 'failed', failure: summarizeFailure(error) }),
  warning: ({ code, message }) => ({ name: 'warning', code, message }),
  unloaded: ({ id }) => ({ name: 'unloaded', id }),
  kept: ({ id, reason }) => ({ name: 'kept', id, reason }),
  crashed: summarizeCrash,
  restarted: ({ id }) => ({ name: 'restarted', id }),
  'gave-up': ({ id, error }) => ({ name: 'gave-up', id, message: error.message }),
  closed: () => ({ name: 'closed' }),
};

function summarizeReload(report: ReloadedReport): LinkEvent {
  const { from, to, phasesMs, state, instances, retired, recommended, restored } = report;
  const count = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((sum, each) => sum + each, 0);
  return {
    name: 'reloaded',
    ...{ from, to, phasesMs, state, retired, restored },
    moved: count(instances.moved),
    stayed: count(instances.stayed),
    recommended: recommended?.because ?? null,
  };
}

function summarizeCrash({ id, error, next, delayMs }: HostCrash): LinkEvent {
  const then =
    next === 'restart' ? `it is started again in ${delayMs} ms` : 'the version before it is gone back to';
  return { name: 'crashed', id, message: `${error.message}; ${then}` };
}
