// Processes of their own for whatever must not burden the rest of a run: a section asks, they answer, one question at a time.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { untilIdle } from './idle.mjs';

const ANSWER_MS = 120_000;
const END_MS = 10_000;
const STDERR_CHARACTERS = 4_000;

/** @typedef {{ value: unknown } | { failure: string }} Answer */

export class Child {
  #process;
  #name;
  #stderr = '';
  /** For all that it writes; it goes with the child, however that ends. */
  folder = mkdtempSync(path.join(tmpdir(), 'napi-reload-bench-'));

  /** @param {string} script in bench/children @param {string} name for messages */
  constructor(script, name) {
    this.#name = name;
    this.#process = fork(fileURLToPath(new URL(`../children/${script}.mjs`, import.meta.url)), {
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#process.stderr?.on('data', (text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-STDERR_CHARACTERS);
    });
  }

  get pid() {
    if (this.#process.pid === undefined) throw new Error(`${this.#name} did not start`);
    return this.#process.pid;
  }

  /** @param {string} question @param {unknown[]} args @returns {Promise<any>} what it answers */
  ask(question, ...args) {
    const failed = (/** @type {string} */ how) =>
      new Error(`${this.#name}, ${question}: ${how}\n${this.#stderr}`);
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#process.off('message', onMessage).off('exit', onExit).off('error', onError);
      };
      const onMessage = (/** @type {unknown} */ message) => {
        done();
        const answer = /** @type {Answer} */ (message);
        if ('failure' in answer) reject(failed(answer.failure));
        else resolve(answer.value);
      };
      const onExit = (/** @type {number | null} */ code, /** @type {string | null} */ signal) => {
        done();
        reject(failed(`it ended with ${signal ?? code}`));
      };
      const onError = (/** @type {Error} */ error) => {
        done();
        reject(failed(error.message));
      };
      const timer = setTimeout(() => {
        done();
        reject(failed(`there was no answer in ${ANSWER_MS} ms`));
      }, ANSWER_MS);
      this.#process.on('message', onMessage).on('exit', onExit).on('error', onError);
      if (this.#process.connected) this.#process.send({ question, args });
      else onExit(this.#process.exitCode, this.#process.signalCode);
    });
  }

  /** Until nothing of it runs that would run in another one's turn. */
  rest() {
    return untilIdle(this.pid);
  }

  /** Also of one that failed, or does not answer. */
  async end() {
    const hasEnded = () => this.#process.exitCode !== null || this.#process.signalCode !== null;
    try {
      if (this.#process.pid === undefined || hasEnded()) return;
      const ended = once(this.#process, 'exit');
      if (this.#process.connected) this.#process.disconnect();
      await Promise.race([ended, pause(END_MS, undefined, { ref: false })]);
      if (hasEnded()) return;
      this.#process.kill('SIGKILL');
      await ended;
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/**
 * Starts children, has each answer `begin` with its folder and settings, and ends them when the work is done or has failed.
 *
 * @template T
 * @param {Readonly<Record<string, { script: string, settings: object }>>} wanted by the names of what they measure
 * @param {(children: ReadonlyMap<string, Child>) => Promise<T>} work
 */
export async function withChildren(wanted, work) {
  /** @type {Map<string, Child>} */
  const children = new Map();
  try {
    for (const [name, { script }] of Object.entries(wanted)) children.set(name, new Child(script, name));
    await Promise.all(
      Array.from(children, ([name, child]) =>
        child.ask('begin', { folder: child.folder, ...wanted[name]?.settings }),
      ),
    );
    const result = await work(children);
    await Promise.all(Array.from(children.values(), (child) => child.ask('end')));
    return result;
  } finally {
    await Promise.all(Array.from(children.values(), (child) => child.end()));
  }
}

/**
 * So that nobody always comes first, or always after the same one.
 *
 * @template T @param {Iterable<T>} list @param {number} round @returns {T[]}
 */
export function inTurn(list, round) {
  const all = [...list];
  const at = Math.floor(round / 2) % all.length;
  const first = at < 0 ? at + all.length : at;
  const rotated = [...all.slice(first), ...all.slice(0, first)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}

/**
 * In a child: answers what is asked, until nobody can ask any more.
 *
 * @param {Readonly<Record<string, (...args: any[]) => unknown>>} answers `begin` and `end` among them
 */
export function answer(answers) {
  process.once('disconnect', () => process.exit());
  process.on('message', async (message) => {
    const { question, args } = /** @type {{ question: string, args: unknown[] }} */ (message);
    process.send?.(await answerOne(answers[question], args));
  });
}

/** @param {((...args: any[]) => unknown) | undefined} give @param {unknown[]} args @returns {Promise<Answer>} */
async function answerOne(give, args) {
  try {
    if (give === undefined) throw new Error('nobody knows how to answer this');
    return { value: await give(...args) };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
