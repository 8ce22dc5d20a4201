import { expect, test } from 'vitest';
import { putBackOwnProperties, readOwnProperties } from '../../../src/state/own-properties.ts';

const symbol = Symbol('key');

test('own properties are put back as they were, whatever was done to them', () => {
  const object: Record<PropertyKey, unknown> = { kept: 1, changed: 2, deleted: 3, [symbol]: 4 };
  Object.defineProperty(object, 'hidden', { get: () => 5, configurable: true });
  const before = Object.getOwnPropertyDescriptors(object);
  const properties = readOwnProperties(object);
  object['changed'] = 'other';
  object['added'] = true;
  delete object['deleted'];
  delete object[symbol];
  Object.defineProperty(object, 'hidden', { value: 6 });
  putBackOwnProperties(object, properties);
  expect(Object.getOwnPropertyDescriptors(object)).toEqual(before);
});

test('an object that had none loses what it got', () => {
  const object: Record<PropertyKey, unknown> = {};
  const properties = readOwnProperties(object);
  expect(properties).toBeNull();
  object['added'] = true;
  putBackOwnProperties(object, properties);
  expect(Reflect.ownKeys(object)).toEqual([]);
});
