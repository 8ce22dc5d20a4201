/** What ninja remembers of depfiles, which it deletes once it has read them. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { run } from './run.ts';
import type { CompiledObject } from './stale.ts';

/** Bound on reading it, in milliseconds. */
const READ_TIMEOUT_MS = 10_000;

/** @returns each output with absolute paths of what it was made from; none when ninja has nothing to tell */
export async function readNinjaDeps(outside: Outside, folder: string): Promise<readonly CompiledObject[]> {
  const found: { file: string; from: { names: string[] } }[] = [];
  await run(outside, {
    command: 'ninja',
    // A dry run opens its logs to read only: a build may be writing them.
    args: ['-n', '-t', 'deps'],
    cwd: folder,
    env: {},
    signal: new AbortController().signal,
    timeoutMs: READ_TIMEOUT_MS,
    onLine: (line) => {
      const output = /^(\S.*): #deps \d+, deps mtime \d+ \((?:VALID|STALE)\)$/.exec(line)?.[1];
      if (output !== undefined) found.push({ file: path.resolve(folder, output), from: { names: [] } });
      else if (line.startsWith('    ')) found.at(-1)?.from.names.push(path.resolve(folder, line.slice(4)));
    },
  });
  return found;
}
