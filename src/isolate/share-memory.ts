/** Named memory of the handle, for a hook in another thread or process. */
import type { MemoryClaim } from '../state/memory.ts';
import type { MemoryAnswer } from './messages.ts';

/** @throws what `ctx.memory` throws */
export function shareMemory(
  claim: MemoryClaim,
  name: string,
  byteLength: number,
  grow: boolean,
): Exclude<MemoryAnswer, { error: unknown }> {
  const file = claim.askForFile(name, byteLength, { grow });
  return file === null ? { view: claim.ask(name, byteLength) } : { file };
}
