/** What a registered app's handles say of themselves where nobody else shows it: a line for each reload, on stderr. */
import path from 'node:path';
import type { Addon } from '../addon.ts';
import { describe, isReloadError } from '../errors.ts';

/** Says nothing while nothing is reloaded: the output of an app is its own. */
export function reportTo(write: (line: string) => void, addon: Addon, file: string): void {
  const say = (text: string): void => write(`[napi-reload] ${path.basename(file)}: ${text}`);
  addon.on('reloaded', ({ from, to, state, phasesMs }) => {
    const totalMs = Object.values(phasesMs).reduce((sum, ms) => sum + ms, 0);
    say(`version ${to} replaced version ${from} in ${totalMs.toFixed(1)} ms, state ${state}`);
  });
  addon.on('failed', (error) => {
    say(`${isReloadError(error) ? error.message : describe(error)}\nversion ${addon.current.id} serves on`);
  });
  addon.on('warning', ({ message }) => say(message));
}
