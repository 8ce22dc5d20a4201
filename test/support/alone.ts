/** Work that one process at a time may do, of all that run tests on this tree. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

/**
 * Waits for others to be done, and keeps them waiting until `work` is.
 *
 * @param file to lock, which is made where it is not there; a process that ends in whatever way holds it no longer
 */
export async function alone<T>(file: string, work: () => Promise<T>): Promise<T> {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // It has the lock for as long as its input is open.
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked && exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  const [said] = await Promise.race([once(holder.stdout, 'data'), ended]);
  if (String(said) !== 'locked\n') throw new Error(`"${file}" could not be locked: ${said}`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
