/** What the hooks of a new version are told of the reload that brings it. */
import type { HookContext, Hooks, Reason } from './state/hooks.ts';
import type { AskForMemory } from './state/memory.ts';
import { chooseSchema } from './state/migrate.ts';
import { liveCode } from './version.ts';
import type { Workshop } from './workshop.ts';

/**
 * @param next whose hook is told
 * @param reason `first` also of a version that joins an image which has its state already
 * @param withOrigin false when the new version starts without the old one's state
 */
export function hookContext(
  { serving: previous, options }: Workshop,
  next: Hooks,
  reason: Reason,
  state: unknown,
  withOrigin: boolean,
  memory: AskForMemory,
): HookContext {
  if (previous === null || reason === 'first') return { reason: 'first', state: undefined, memory };
  const { hooks } = liveCode(previous);
  const from = { version: previous.id, schema: chooseSchema(hooks.schema, next, options.migrate) };
  return withOrigin ? { reason, state, from, memory } : { reason, state, memory };
}
