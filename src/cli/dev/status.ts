/** The last row of the terminal. */
import { clip, widthOf } from './cells.ts';
import { addonName, count } from './format.ts';
import type { DevState, Failing } from './state.ts';

export type Mood = 'good' | 'bad' | 'busy' | 'paused';

export interface Status {
  readonly text: string;
  readonly mood: Mood;
}

const BETWEEN = ' · ';
/** Below it, what is wrong is not understood any more. */
const BANNER_CELLS_MIN = 20;

/** @param columns of the row: what is wrong is cut rather than what goes on */
export function statusOf(state: DevState, columns: number): Status {
  const [failing] = state.failing;
  const { activity } = state;
  const own = [...(state.isPaused ? [pauseOf(state)] : []), activityOf(state)].join(BETWEEN);
  const room = Math.max(BANNER_CELLS_MIN, columns - widthOf(own) - BETWEEN.length);
  const banner = failing === undefined ? null : clip(bannerOf(state, ...failing), room);
  const text = banner === null ? own : `${banner}${BETWEEN}${own}`;
  if (activity.kind !== 'idle') return { text, mood: banner === null ? 'busy' : 'bad' };
  if (state.isPaused) return { text, mood: 'paused' };
  return { text, mood: banner !== null || state.app === 'crashed' ? 'bad' : 'good' };
}

/** What serves, and why nothing newer does. */
export function bannerOf(state: DevState, subject: string, { version, isBuild, message }: Failing): string {
  const [first] = message.split('\n');
  if (isBuild)
    return `${servingOf(state, null)}, the build of ${state.names.get(subject) ?? subject} failed: ${first}`;
  const refused = version === null ? 'a newer version' : `v${version}`;
  return `${servingOf(state, subject)}, ${refused} failed: ${first}`;
}

/** @param addon null for all of them */
function servingOf(state: DevState, addon: string | null): string {
  const all = [...state.serving].filter(([each]) => addon === null || each === addon);
  if (all.length === 0) return 'nothing serves yet';
  const [only] = all;
  if (state.serving.size === 1 && only !== undefined) return `serving v${only[1]}`;
  return `serving ${all.map(([each, version]) => `${addonName(each)} v${version}`).join(', ')}`;
}

function activityOf(state: DevState): string {
  const { activity } = state;
  switch (activity.kind) {
    case 'building': {
      const { project, step, done, total } = activity;
      const counted = done === null || total === null ? '' : `[${done}/${total}] `;
      return `building ${state.names.get(project) ?? project} ${counted}${step}`.trimEnd();
    }
    case 'reloading': {
      const names = activity.addons.map(addonName).join(', ');
      return `reloading ${names}${activity.waitsFor === null ? '' : `, waiting for process ${activity.waitsFor}`}`;
    }
    case 'restarting':
      return 'restarting the app';
    case 'ending':
      return `ending the app${BETWEEN}Ctrl-C once more kills it`;
    case 'idle':
      return restOf(state);
  }
}

function restOf(state: DevState): string {
  if (state.isPaused) return 'p to go on';
  if (state.app === 'crashed' || state.app === 'ended') {
    const how = state.app === 'crashed' ? `the app crashed (${state.appEnd})` : 'the app has ended';
    return `${how}, waiting for a change${BETWEEN}u to start it${BETWEEN}h for help`;
  }
  if (state.app === 'not-started') return `waiting for a change${BETWEEN}h for help`;
  const serving =
    state.failing.size > 0 || state.serving.size === 0 ? '' : `${servingOf(state, null)}${BETWEEN}`;
  return `${serving}watching${BETWEEN}h for help`;
}

function pauseOf({ held }: DevState): string {
  return held.size === 0 ? 'paused' : `paused, ${count(held.size, 'changed file')} waiting`;
}
