/** Waits for a version that is held by what will go. */
import type { Addon } from '../addon.ts';
import { collectGarbage } from './garbage.ts';

/** @returns whether it has left the memory within the time */
export async function awaitUnload(addon: Addon, id: number, withinMs: number): Promise<boolean> {
  let settle = (): void => undefined;
  const told = new Promise<void>((resolve) => {
    settle = () => resolve();
  });
  const note = (version: { readonly id: number }): void => {
    if (version.id === id) settle();
  };
  addon.on('unloaded', note).on('kept', note);
  const timer = setTimeout(settle, withinMs);
  try {
    await collectGarbage();
    if (isInMemory(addon, id)) await told;
    return !isInMemory(addon, id);
  } finally {
    clearTimeout(timer);
    addon.off('unloaded', note).off('kept', note);
  }
}

function isInMemory(addon: Addon, id: number): boolean {
  return addon.versions().some((version) => version.id === id);
}
