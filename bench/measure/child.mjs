// A process of its own for one way: what a way leaves behind is no burden on another one. It is asked for one turn at a time.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { treeOf, untilIdle } from './idle.mjs';

const ANSWER_MS = 600_000;
const EXIT_MS = 10_000;
const SAID_MAX = 8_000;

/** @typedef {{ request: string, args: readonly unknown[] }} Question */
/** @typedef {{ answer?: unknown, error?: string }} Answer */

export class Child {
  #name;
  #process;
  /** The end of what it wrote to stderr. */
  #said = '';

  /** @param {string} name for messages @param {string} script @param {readonly string[]} args @param {NodeJS.ProcessEnv} env */
  constructor(name, script, args, env) {
    this.#name = name;
    this.#process = fork(script, args, { env, stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      this.#said = (this.#said + text).slice(-SAID_MAX);
    });
  }

  /**
   * @param {string} request one of those that it serves @param {readonly unknown[]} args
   * @returns {Promise<unknown>} rejects when it ends, fails or does not answer
   */
  async ask(request, ...args) {
    if (!this.#process.connected) throw new Error(`${this.#name}: ${request}: it has ended\n${this.#said}`);
    const asked = new AbortController();
    const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(ANSWER_MS)]);
    const ended = once(this.#process, 'exit', { signal }).then(([code, by]) => ({
      error: `it ended with ${by ?? code}`,
    }));
    const answered = once(this.#process, 'message', { signal }).then(([message]) => message);
    // The one that loses is aborted below.
    for (const each of [ended, answered]) each.catch(() => undefined);
    try {
      this.#process.send({ request, args });
      /** @type {Answer} */
      const { answer, error } = await Promise.race([ended, answered]).catch((failure) => ({
        error: signal.aborted ? `no answer in ${ANSWER_MS} ms` : String(failure),
      }));
      if (error !== undefined) throw new Error(`${this.#name}: ${request}: ${error}\n${this.#said}`);
      return answer;
    } finally {
      asked.abort();
    }
  }

  /** The same, until nothing of it runs any more. @param {string} request @param {readonly unknown[]} args @returns {Promise<unknown>} */
  async turn(request, ...args) {
    const answer = await this.ask(request, ...args);
    await untilIdle(Number(this.#process.pid));
    return answer;
  }

  /** It ends as it should. */
  async end() {
    const exited = once(this.#process, 'exit', { signal: AbortSignal.timeout(EXIT_MS) });
    exited.catch(() => undefined);
    await this.ask('end');
    const [code, signal] = await exited;
    if (code !== 0) throw new Error(`${this.#name} ended with ${signal ?? code}\n${this.#said}`);
  }

  /** Whatever of it is still there. */
  kill() {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    for (const each of treeOf(pid)) {
      try {
        process.kill(Number(each), 'SIGKILL');
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** Gives a folder that is removed afterwards. @template T @param {(folder: string) => Promise<T>} work @returns {Promise<T>} */
export async function inScratch(work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Starts a process for each way, which gets a folder of its own before its arguments. They begin side by side, and are gone
 * afterwards.
 *
 * @template T
 * @param {string} script @param {Record<string, readonly string[]>} argsOf by the name of the way
 * @param {(childOf: (name: string) => Child) => Promise<T>} work
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<T>}
 */
export function withChildren(script, argsOf, work, env = process.env) {
  return inScratch(async (scratch) => {
    /** @type {Map<string, Child>} */
    const children = new Map();
    try {
      for (const [name, args] of Object.entries(argsOf)) {
        const folder = path.join(scratch, String(children.size));
        mkdirSync(folder);
        children.set(name, new Child(name, script, [folder, ...args], env));
      }
      await Promise.all(Array.from(children.values(), (child) => child.turn('begin')));
      const result = await work((name) => /** @type {Child} */ (children.get(name)));
      await Promise.all(Array.from(children.values(), (child) => child.end()));
      return result;
    } finally {
      for (const child of children.values()) child.kill();
    }
  });
}

/**
 * The other side of it: answers, one after the other, what is asked for by name. `begin` comes first, `end` last.
 *
 * @param {Record<string, (...args: any[]) => unknown>} answers
 */
export function serve(answers) {
  // So that it does not outlive who asks.
  process.on('disconnect', () => process.exit());
  process.on('message', async (/** @type {Question} */ { request, args }) => {
    /** @type {Answer} */
    let reply;
    try {
      reply = { answer: await answers[request]?.(...args) };
    } catch (error) {
      reply = { error: error instanceof Error ? String(error.stack) : String(error) };
    }
    process.send?.(reply, () => request === 'end' && process.disconnect());
  });
}

/** The same list begun elsewhere, so that over the rounds each is first, and last. @template T @param {readonly T[]} list @param {number} by @returns {T[]} */
export function rotated(list, by) {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}
