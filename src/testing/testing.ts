/** `napi-reload/testing`: rebuild and reload an addon in tests, whatever runs them. */
export {
  assertKeepsState,
  assertLeaksLessThan,
  assertReloads,
  assertStaysOnVersion,
  assertUnloads,
} from './assertions.ts';
export type { StayOptions, UnloadOptions } from './checks.ts';
export { createReloadable } from './create-reloadable.ts';
export type { LeakOptions } from './leak.ts';
export type { HostedReloadableOptions, KitOptions, ReloadableOptions } from './options.ts';
export type { Reloadable } from './reloadable.ts';
export type { ExportsOf, Subject } from './subject.ts';
