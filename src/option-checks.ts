/** What an option may be: each check gives the value in its type, or refuses it with `ERR_INVALID_OPTION`. */
import { describe, errors, isReloadError } from './errors.ts';
import { nearest } from './nearest.ts';

/** Above it a timer of Node.js fires at once. */
export const TIMER_MAX_MS: number = 2 ** 31 - 1;

export function milliseconds(option: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= 0 && value <= TIMER_MAX_MS) return value;
  return invalid(option, show(value), `milliseconds from 0 to ${TIMER_MAX_MS}`);
}

export function flag(option: string, value: unknown, unset = false): boolean {
  if (value === undefined) return unset;
  return typeof value === 'boolean' ? value : invalid(option, show(value), 'true or false');
}

export function wholeNumber(option: string, value: unknown, min: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value;
  return invalid(option, show(value), `a whole number from ${min}`);
}

export function text(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  return invalid(option, show(value), 'a string that is not empty');
}

export function strings(option: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((x) => typeof x === 'string')) return value;
  return invalid(option, show(value), 'an array of strings');
}

export function stringRecord(option: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const record = asRecord(value, option);
  for (const [key, item] of Object.entries(record)) {
    if (typeof item !== 'string') invalid(`${option}.${key}`, show(item), 'a string');
  }
  return record as Record<string, string>;
}

export function asRecord(value: unknown, option: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  return invalid(option, show(value), 'an object');
}

/** @param option the name of the record, empty for options themselves */
export function onlyKeys(option: string, record: Record<string, unknown>, keys: readonly string[]): void {
  for (const key of Object.keys(record)) {
    if (keys.includes(key)) continue;
    const meant = nearest(key, keys);
    const hint = meant === null ? '' : `; did you mean ${JSON.stringify(meant)}?`;
    invalid(
      option === '' ? key : `${option}.${key}`,
      'an option of that name',
      `one of ${keys.join(', ')}${hint}`,
    );
  }
}

/** Puts a name before that of an option that a check refuses: of which part of a whole it is. */
export function within<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!isReloadError(error, 'ERR_INVALID_OPTION')) throw error;
    const { option, found, wanted } = error.details;
    return invalid(`${name}.${option}`, found, wanted);
  }
}

export function invalid(option: string, found: string, wanted: string): never {
  throw errors.invalidOption({ option, found, wanted });
}

export function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : `${describe(value)} (${typeof value})`;
}
