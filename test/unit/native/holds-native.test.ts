import { expect, test } from 'vitest';
import { compile, addonSource, scratch, shim } from './shim.ts';

test('holdsNative sees what another addon wrapped, and nothing else', () => {
  const folder = scratch();
  const init = '-DINIT=napi_wrap(env,exports,&data,NULL,NULL,NULL);';
  const file = compile(folder, 'wraps', addonSource('static int data;'), [init]);
  const module = { exports: {} };
  expect(shim.holdsNative(module.exports)).toBe(false);
  process.dlopen(module, file);
  expect(shim.holdsNative(module.exports)).toBe(true);
  const handlers = { get: () => expect.unreachable('a trap ran') };
  for (const value of [{}, [], () => 0, new Proxy({}, handlers)]) expect(shim.holdsNative(value)).toBe(false);
});
