import { describe, expect, test } from 'vitest';
import type { NativePin } from '../../../src/native.ts';
import { needsLook } from '../../../src/retire/retire.ts';
import type { Version, VersionState } from '../../../src/version.ts';

function inState(state: VersionState): Version {
  return { state } as Version;
}

function pinnedBy(...kinds: readonly string[]): Version {
  const pins = kinds.map((kind): NativePin => ({ kind, count: 1, bytes: 0 }));
  return inState({ name: 'pinned', pins });
}

describe('needsLook', () => {
  test('is false for pins of which the shim tells', () => {
    expect(needsLook(pinnedBy('wrapped-object', 'thread', 'async-work'))).toBe(false);
  });

  test.each(['frame', 'signal-handler', 'uv-handle', 'uv-request'])('is true for a pin "%s"', (kind) => {
    expect(needsLook(pinnedBy('wrapped-object', kind))).toBe(true);
  });

  test('is false for a version that has ended', () => {
    expect(needsLook(inState({ name: 'unloaded' }))).toBe(false);
  });
});
