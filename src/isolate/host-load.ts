/** Loads a version in a host: what the handle staged is staged once more, and bound to the shim of this process. */
import assert from 'node:assert/strict';
import { errors } from '../errors.ts';
import type { Here } from '../here.ts';
import { runSteps } from '../later.ts';
import { inspect } from '../load/inspect.ts';
import { load } from '../load/load.ts';
import { rebind } from '../stage/rebind.ts';
import { openStager } from '../stage/stager.ts';
import { type Hooks, readHooks } from '../state/hooks.ts';
import type { Version } from '../version.ts';
import type { LoadRequest } from './messages.ts';
import { Exported } from './surface.ts';

export interface LoadedVersion {
  readonly version: Version;
  readonly exported: Exported;
  readonly hooks: Hooks;
}

/** @throws what a stage, a load or the hooks are refused with */
export async function loadVersion(request: LoadRequest, outside: Here): Promise<LoadedVersion> {
  const { id, source, path, hash, stageDir, libraryHashes, reclaim } = request;
  const signal = new AbortController().signal;
  const wanted = { examine: true, rebind: reclaim !== 'never', libraries: reclaim !== 'never' };
  const stager = openStager({ source, stageDir, writerEnds: true, wanted }, outside);
  try {
    const staged = await stager.restore(id, { path, hash, libraries: [], origin: null }, signal);
    if (staged === null) {
      throw errors.stageIo({ addon: source, path, operation: 'open', errno: 'ENOENT' });
    }
    const found = staged.libraries.map((library) => library.hash);
    if (libraryHashes.join() !== found.join()) {
      const changed = staged.libraries.find((library, index) => library.hash !== libraryHashes[index]);
      const at = { path: changed?.source ?? source, found: 'a private library that is another one by now' };
      throw errors.stageIncomplete({ addon: source, ...at, waitedMs: 0 });
    }
    const image = inspect(staged, source, outside);
    const binding = rebind(staged, source, reclaim, outside);
    const version = versionOf(request, staged);
    const loadRequest = { id, path: staged.path, source, image, share: null, signal };
    const exports = await runSteps(
      load(loadRequest, binding, outside, (hold) => {
        version.hold = hold;
      }),
    );
    const hooks = readHooks(exports, id);
    return { version, exported: new Exported(exports, outside.native), hooks };
  } finally {
    // What is mapped needs no names, and a host that is killed leaves none so.
    stager.close();
  }
}

function versionOf(
  { id, source, hash }: LoadRequest,
  staged: Awaited<ReturnType<ReturnType<typeof openStager>['restore']>>,
): Version {
  assert(staged !== null);
  const { path, fingerprint, libraries, bytes } = staged;
  const unknown = { schema: null, hold: null, conflict: null, mappings: 0, stagedHash: null };
  const identity = { id, hash, fingerprint, libraries, source, path, bytes, loadedAt: Date.now() };
  return { ...identity, ...unknown, state: { name: 'candidate' } };
}
