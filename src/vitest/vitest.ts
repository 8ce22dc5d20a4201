/** `napi-reload/vitest`: a test function for rebuild and reload, and matchers. The import makes the matchers known. */
import type { Assertion } from 'vitest';
import type { Subject } from '../testing/subject.ts';
import { type ReloadAssertion, registerMatchers } from './matchers.ts';

declare module 'vitest' {
  // Not `Matchers`, whose parameters are not those of vitest 4 in vitest 5; and nothing else can be asked to reload.
  interface ExpectStatic {
    // biome-ignore lint/style/useShorthandFunctionType: it merges with the interface of vitest
    <S extends Subject>(actual: S, message?: string): Assertion & ReloadAssertion<S>;
  }
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
export { type ReloadAssertion, type ReloadMatchers, registerMatchers } from './matchers.ts';
