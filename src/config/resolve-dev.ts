/** What a configuration says of `napi-reload dev`, checked and filled in. */
import path from 'node:path';
import {
  asRecord,
  flag,
  invalid,
  milliseconds,
  onlyKeys,
  show,
  stringRecord,
  strings,
  text,
} from '../option-checks.ts';
import type { DevConfig } from './config.ts';

/** {@link DevConfig} with everything filled in. */
export interface ResolvedDev {
  /** Absolute. */
  readonly script: string | null;
  /** A command line for a shell; null where there is none. */
  readonly exec: string | null;
  /** Arguments of the program. */
  readonly args: readonly string[];
  /** Options of Node.js for it. */
  readonly nodeArgs: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether the screen is cleared when something is built. */
  readonly clearScreen: boolean;
  /** What to do with a version that cannot be swapped in place. */
  readonly fallback: 'restart' | 'none';
  /** Whether events are printed as lines of JSON. */
  readonly json: boolean;
  /** Null for what `watch` says. */
  readonly delayMs: number | null;
  /** Null for not at all. */
  readonly pollMs: number | null;
}

const DEV_KEYS = [
  'script',
  'exec',
  'args',
  'nodeArgs',
  'env',
  'clearScreen',
  'fallback',
  'json',
  'delayMs',
  'pollMs',
] as const satisfies readonly (keyof DevConfig)[];

/** Below it, looking would take all of a processor. */
const POLL_MIN_MS = 10;

/**
 * @param folder that paths are relative to
 * @throws `ERR_INVALID_OPTION`
 */
export function resolveDev(value: unknown, folder: string): ResolvedDev {
  const dev = asRecord(value, 'dev');
  onlyKeys('dev', dev, DEV_KEYS);
  const script = text('dev.script', dev['script']);
  const exec = text('dev.exec', dev['exec']);
  if (script !== undefined && exec !== undefined) {
    return invalid('dev.exec', show(exec), 'either this or "dev.script"');
  }
  const fallback = dev['fallback'] ?? 'none';
  if (fallback !== 'restart' && fallback !== 'none') {
    return invalid('dev.fallback', show(fallback), "'restart' or 'none'");
  }
  const pollMs = optionalMilliseconds('dev.pollMs', dev['pollMs']);
  if (pollMs !== null && pollMs < POLL_MIN_MS) {
    return invalid('dev.pollMs', show(pollMs), `at least ${POLL_MIN_MS} milliseconds`);
  }
  return {
    script: script === undefined ? null : path.resolve(folder, script),
    exec: exec ?? null,
    args: strings('dev.args', dev['args']),
    nodeArgs: strings('dev.nodeArgs', dev['nodeArgs']),
    env: stringRecord('dev.env', dev['env']),
    clearScreen: flag('dev.clearScreen', dev['clearScreen'], true),
    fallback,
    json: flag('dev.json', dev['json'], false),
    delayMs: optionalMilliseconds('dev.delayMs', dev['delayMs']),
    pollMs,
  };
}

function optionalMilliseconds(option: string, value: unknown): number | null {
  return value === undefined ? null : milliseconds(option, value, 0);
}
