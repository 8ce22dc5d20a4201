/** Collects garbage, so that what is held by nothing but that can go. */
import v8 from 'node:v8';
import vm from 'node:vm';

type Collect = (options?: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

let collect: Collect | null = null;

/** Finalizers that wait for a turn of the event loop have run when it resolves. */
export async function collectGarbage(): Promise<void> {
  if (collect === null) {
    v8.setFlagsFromString('--expose-gc');
    collect = vm.runInNewContext('gc') as Collect;
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    // V8 gives back the pages that its young generation grew by.
    collect({ type: 'major', flavor: 'last-resort' });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A finalizer may let go of what has a finalizer. */
const ROUNDS = 3;
