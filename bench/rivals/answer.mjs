// The side of a child that runs in Node.js: measure/turns.mjs says what is asked.
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';

/** @typedef {import('../measure/turns.mjs').Round} Round */

/** @param {{ reload(version: number): Promise<Round>, end(): Promise<unknown> }} way `reload` asserts that this version runs */
export async function answer({ reload, end }) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [request, version] = line.split(' ');
    const result = request === 'reload' ? await reload(Number(version)) : await collect();
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  await end();
}

/** What finalizers let go of, a second time. */
async function collect() {
  globalThis.gc?.();
  await turn();
  globalThis.gc?.();
  return {};
}
