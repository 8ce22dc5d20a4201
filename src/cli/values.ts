/** What the text of an option's value means. */
import { TIMER_MAX_MS } from '../option-checks.ts';
import type { DurationOption, NumberOption } from './command.ts';

const UNITS_MS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000 };

/** @returns the number, of a time in milliseconds, or what is wanted instead */
export function readNumber(
  { type, min = 0, max }: NumberOption | DurationOption,
  text: string,
): { readonly number: number } | { readonly wanted: string } {
  const most = max ?? (type === 'duration' ? TIMER_MAX_MS : Number.MAX_SAFE_INTEGER);
  const number = type === 'duration' ? millisecondsOf(text) : wholeNumberOf(text);
  if (number !== null && number >= min && number <= most) return { number };
  const unit = type === 'duration' ? ' ms' : '';
  const bounds = max === undefined ? `from ${min}${unit}` : `from ${min} to ${max}${unit}`;
  const wanted =
    type === 'duration' ? `a time ${bounds}, such as 200, 200ms, 1.5s or 2m` : `a whole number ${bounds}`;
  return { wanted };
}

function millisecondsOf(text: string): number | null {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const factor = UNITS_MS[unit];
  return count === undefined || factor === undefined ? null : Math.round(Number(count) * factor);
}

function wholeNumberOf(text: string): number | null {
  return /^-?\d+$/.test(text) ? Number(text) : null;
}
