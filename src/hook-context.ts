/** What the hooks of a new version are told of the reload that brings it. */
import type { HookContext } from './state/hooks.ts';
import type { AskForMemory } from './state/memory.ts';
import { liveCode, type Version } from './version.ts';

/**
 * @param previous the version that serves; null for a first load
 * @param withOrigin false when the new version starts without the old one's state
 */
export function hookContext(
  previous: Version | null,
  state: unknown,
  withOrigin: boolean,
  memory: AskForMemory,
): HookContext {
  if (previous === null) return { reason: 'first', state: undefined, memory };
  const { hooks } = liveCode(previous);
  const from = { version: previous.id, schema: hooks.schema };
  return withOrigin ? { reason: 'reload', state, from, memory } : { reason: 'reload', state, memory };
}
