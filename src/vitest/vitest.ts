/** `napi-reload/vitest`: a test function for rebuild and reload, and matchers. The import makes the matchers known. */
import { registerMatchers, type ReloadMatchers } from './matchers.ts';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the declaration that it merges with has this default
  interface Matchers<T = any> extends ReloadMatchers<T> {}
}

registerMatchers();

export type {
  HostedReloadableOptions,
  KitOptions,
  LeakOptions,
  Reloadable,
  ReloadableOptions,
  StayOptions,
  Subject,
  UnloadOptions,
} from '../testing/testing.ts';
export { type ReloadableFixtures, reloadable } from './fixture.ts';
export { type ReloadMatchers, registerMatchers } from './matchers.ts';
