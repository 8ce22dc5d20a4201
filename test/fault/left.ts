/** Whatever a life may leave behind in this process, and processes that it may leave. */
import fs from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';

/** A diagnosis: finalizers, and threads of the pool, have done by then what they still had to do, also under load. */
const LEAVE_MAX_MS = 5_000;

const gc = ((): (() => void) => {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
})();

export function collect(): void {
  gc();
}

/** What the descriptors of this process are, with their numbers. */
export function openFiles(): readonly string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    const target = linkOf(`/proc/self/fd/${fd}`);
    // One of inotify is of libuv, which keeps it as long as its loop runs.
    if (target === null || target.includes('/proc/') || target === 'anon_inode:inotify') return [];
    return [`${fd} ${target}`];
  });
}

/** Lines of what this process has mapped. */
export function mappings(): readonly string[] {
  return fs.readFileSync('/proc/self/maps', 'utf8').split('\n');
}

/** Processes that work in a folder. */
function processesIn(folder: string): readonly string[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/cwd`)?.startsWith(folder) === true)
    .map((pid) => `process ${pid}`);
}

/** Waits for finalizers, and for the threads of the pool. */
async function inTheEnd(look: () => readonly string[]): Promise<readonly string[]> {
  const endMs = performance.now() + LEAVE_MAX_MS;
  let left = look();
  while (left.length > 0 && performance.now() < endMs) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    left = look();
  }
  return left;
}

/** Descriptors and mappings whose names have one of these in them, once all had time to go. */
export function leftOf(names: readonly string[]): Promise<readonly string[]> {
  return inTheEnd(() =>
    [...openFiles(), ...mappings()].filter((of) => names.some((name) => of.includes(name))),
  );
}

/** The same of a folder, and processes that work in it; but for what has one of `known` in it. */
export function leftIn(folder: string, known: readonly string[]): Promise<readonly string[]> {
  return inTheEnd(() =>
    [...[...openFiles(), ...mappings()].filter((of) => of.includes(folder)), ...processesIn(folder)].filter(
      (of) => !known.some((each) => of.includes(each)),
    ),
  );
}

function linkOf(file: string): string | null {
  try {
    return fs.readlinkSync(file);
  } catch {
    // It has gone, or is another user's.
    return null;
  }
}
