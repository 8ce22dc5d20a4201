/** The wall clock, which gives files their times and may be set at any moment, beside one that only goes forward. */
import type { Outside } from './outside.ts';

/** How much slower than real time a wall clock may be made to run, to be corrected without a step. */
const SLEW_MAX = 0.001;
/** A step back that is no step: the two clocks are not read at once. */
const SETBACK_MIN_MS = 10;

/** Both clocks at one moment, in milliseconds. */
export interface Moment {
  readonly wallMs: number;
  readonly steadyMs: number;
}

export function momentNow(outside: Outside): Moment {
  return { wallMs: Date.now(), steadyMs: outside.nowMs() };
}

/** That moment by the wall clock as it is now, in milliseconds: what was written since then has this time or a later one. */
export function timeOf(outside: Outside, moment: Moment): number {
  return wasSetBack(outside, moment) ? Date.now() - elapsedMs(outside, moment) : moment.wallMs;
}

/** Whether the wall clock was set back since then: what is written now may look older than what was written before. */
export function wasSetBack(outside: Outside, since: Moment): boolean {
  return Date.now() < since.wallMs + elapsedMs(outside, since) * (1 - SLEW_MAX) - SETBACK_MIN_MS;
}

function elapsedMs(outside: Outside, since: Moment): number {
  return outside.nowMs() - since.steadyMs;
}
