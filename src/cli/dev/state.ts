/** What a face has to know of the past to say how things are: a pure function of the events. */
import path from 'node:path';
import type { DevEvent, Outcome, ProjectInfo } from './events.ts';
import { addonName } from './format.ts';

export interface DevState {
  /** What people call each project, by its id. */
  readonly names: ReadonlyMap<string, string>;
  readonly activity:
    | { readonly kind: 'idle' }
    | {
        readonly kind: 'building';
        readonly project: string;
        readonly step: string;
        readonly done: number | null;
        readonly total: number | null;
      }
    | { readonly kind: 'reloading'; readonly addons: readonly string[]; readonly waitsFor: number | null }
    | { readonly kind: 'restarting' | 'ending' };
  readonly app: 'not-started' | 'running' | 'ended' | 'crashed';
  /** How the app ended; empty while it runs. */
  readonly appEnd: string;
  readonly isPaused: boolean;
  /** Changed files that wait for the end of the pause. */
  readonly held: ReadonlySet<string>;
  /** The version that serves, by addon. */
  readonly serving: ReadonlyMap<string, number>;
  /** What is wrong until it is mended, by project or addon. */
  readonly failing: ReadonlyMap<string, Failing>;
}

export interface Failing {
  /** The version that was refused; null for a build that failed, and one without a number. */
  readonly version: number | null;
  readonly isBuild: boolean;
  readonly message: string;
}

export const FIRST_STATE: DevState = {
  names: new Map(),
  activity: { kind: 'idle' },
  app: 'not-started',
  appEnd: '',
  isPaused: false,
  held: new Set(),
  serving: new Map(),
  failing: new Map(),
};

export function nextState(state: DevState, event: DevEvent): DevState {
  switch (event.type) {
    case 'start':
      return {
        ...state,
        names: new Map(event.projects.map((project) => [project.id, nameOf(project)])),
      };
    case 'project':
      return { ...state, names: with_(state.names, event.id, nameOf(event)) };
    case 'changed':
      return state.isPaused ? { ...state, held: new Set([...state.held, ...event.files]) } : state;
    case 'building':
      return {
        ...state,
        held: new Set(),
        activity: { kind: 'building', project: event.project, step: '', done: null, total: null },
      };
    case 'progress':
      return { ...state, activity: { ...event, kind: 'building' } };
    case 'built':
      return { ...state, activity: { kind: 'idle' }, failing: without(state.failing, event.project) };
    case 'build-failed': {
      const failing = { version: null, isBuild: true, message: event.summary };
      return { ...state, activity: { kind: 'idle' }, failing: with_(state.failing, event.project, failing) };
    }
    case 'reloading':
      return { ...state, activity: { kind: 'reloading', addons: event.addons, waitsFor: null } };
    case 'waiting':
      return state.activity.kind === 'reloading'
        ? { ...state, activity: { ...state.activity, waitsFor: event.pid } }
        : state;
    case 'reloaded':
      return (
        event.outcomes
          // Who cannot go back has what served before.
          .filter(({ outcome }) => event.verb === 'reload' || outcome !== 'failed')
          .reduce(noteOutcome, { ...state, activity: { kind: 'idle' } })
      );
    case 'restarting':
      return { ...state, activity: { kind: 'restarting' } };
    case 'app-started':
      return {
        ...state,
        app: 'running',
        appEnd: '',
        activity: { kind: 'idle' },
        // A fresh process has no version of before, and loads what is built.
        serving: new Map(),
        failing: new Map([...state.failing].filter(([, { isBuild }]) => isBuild)),
      };
    case 'app-ended':
      return noteAppEnd(state, event);
    case 'app-failed':
      return { ...state, app: 'crashed', appEnd: 'could not be started' };
    case 'opened':
      return event.handle.serving === null
        ? state
        : { ...state, serving: with_(state.serving, event.handle.addon, event.handle.serving) };
    case 'addon':
      return event.event.name === 'reloaded'
        ? { ...state, serving: with_(state.serving, event.addon, event.event.to) }
        : state;
    case 'paused':
      return { ...state, isPaused: true };
    case 'resumed':
      return { ...state, isPaused: false, held: new Set() };
    case 'ending':
      return { ...state, activity: { kind: 'ending' } };
    case 'idle':
      return { ...state, activity: { kind: 'idle' } };
    default:
      return state;
  }
}

function noteOutcome(state: DevState, { addon, outcome, serving, failure }: Outcome): DevState {
  const failing =
    outcome === 'failed' && failure !== null
      ? with_(state.failing, addon, { version: failure.version, isBuild: false, message: failure.message })
      : without(state.failing, addon);
  return {
    ...state,
    failing,
    serving: serving === null ? state.serving : with_(state.serving, addon, serving),
  };
}

function noteAppEnd(
  state: DevState,
  { exitCode, signal, asked }: Extract<DevEvent, { type: 'app-ended' }>,
): DevState {
  const app = asked ? 'not-started' : exitCode === 0 ? 'ended' : 'crashed';
  const appEnd = signal === null ? `exit code ${exitCode}` : signal;
  return { ...state, app, appEnd: asked ? '' : appEnd };
}

/** A project of one addon is called like that, one of several like its folder. */
function nameOf({ root, addons }: ProjectInfo): string {
  const [first] = addons;
  return addons.length === 1 && first !== undefined ? addonName(first) : path.basename(root);
}

function with_<V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> {
  return new Map(map).set(key, value);
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
