// The side of a child that runs in Node.js: measure/turns.mjs says what is asked.
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';

/** @typedef {import('../measure/turns.mjs').Round} Round */

/**
 * `reload` asserts that this version runs; `collect` collects the garbage of what runs it elsewhere.
 *
 * @typedef {{ reload(version: number): Promise<Round>, collect?(): Promise<unknown>, end(): Promise<unknown> }} Way
 */

/** @param {Way} way */
export async function answer({ reload, collect, end }) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [request, version] = line.split(' ');
    const result = request === 'reload' ? await reload(Number(version)) : await collectAll(collect);
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  await end();
}

/** What finalizers let go of, a second time. @param {(() => Promise<unknown>) | undefined} collectElsewhere */
async function collectAll(collectElsewhere) {
  globalThis.gc?.();
  await collectElsewhere?.();
  await turn();
  globalThis.gc?.();
  return {};
}
