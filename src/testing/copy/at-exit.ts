/** Folders that are removed when the process ends before its tests have. */
import { rmSync } from 'node:fs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const folders = new Set<string>();

export function removeAtExit(folder: string): void {
  if (folders.size === 0) {
    process.once('exit', removeAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  folders.add(folder);
}

export function keepAtExit(folder: string): void {
  if (!folders.delete(folder) || folders.size > 0) return;
  process.off('exit', removeAll);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/**
 * A signal that nobody else listens to ends the process, as it would without us. Whoever does listen decides what becomes of
 * it, and may go on with the tests.
 */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  removeAll();
  for (const each of SIGNALS) process.off(each, onSignal);
  process.kill(process.pid, signal);
}

function removeAll(): void {
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // A build that still writes may hold it up: what is left is for the next run to sweep.
    }
  }
}
