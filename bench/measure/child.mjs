// Processes of their own for whatever must not burden the rest of a run: a section asks, they answer, one question at a time.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { untilIdle } from './idle.mjs';
import { inTurn } from './order.mjs';
import { inScratch } from './scratch.mjs';
import { collect } from './statistics.mjs';
import { killTree } from './tree.mjs';

const ANSWER_MS = 600_000;
const EXIT_MS = 10_000;
const STDERR_CHARACTERS = 8_000;

/** @typedef {{ question: string, args: unknown[] }} Question */
/** @typedef {{ value: unknown } | { failure: string }} Answer */
/** @typedef {Readonly<Record<string, (...args: any[]) => unknown>>} Answers by the question */

export class Child {
  #name;
  #process;
  /** The end of what it wrote there. */
  #stderr = '';

  /** @param {string} name for messages @param {string} script in bench/children @param {NodeJS.ProcessEnv} env */
  constructor(name, script, env) {
    this.#name = name;
    this.#process = fork(fileURLToPath(new URL(`../children/${script}.mjs`, import.meta.url)), {
      env,
      execArgv: ['--expose-gc'],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-STDERR_CHARACTERS);
    });
  }

  get pid() {
    if (this.#process.pid === undefined) throw this.#errorOf('start', 'it did not');
    return this.#process.pid;
  }

  /**
   * @param {string} question @param {unknown[]} args
   * @returns {Promise<unknown>} what it answers; rejects when it fails, ends or does not answer
   */
  async ask(question, ...args) {
    if (!this.#process.connected) throw this.#errorOf(question, 'it has ended');
    const settled = new AbortController();
    const { signal } = settled;
    /** @type {Promise<Answer>[]} */
    const outcomes = [
      once(this.#process, 'message', { signal }).then(([answer]) => answer),
      once(this.#process, 'exit', { signal }).then(([code, by]) => ({
        failure: `it ended with ${by ?? code}`,
      })),
      pause(ANSWER_MS, { failure: `there was no answer in ${ANSWER_MS} ms` }, { signal }),
    ];
    this.#process.send({ question, args });
    try {
      const answer = await Promise.race(outcomes);
      if ('failure' in answer) throw this.#errorOf(question, answer.failure);
      return answer.value;
    } finally {
      settled.abort();
    }
  }

  /** The same, until nothing of it runs that would run in another one's turn. @param {string} question @param {unknown[]} args */
  async turn(question, ...args) {
    const answer = await this.ask(question, ...args);
    await this.rest();
    return answer;
  }

  rest() {
    return untilIdle(this.pid);
  }

  /** It ends as it should. */
  async end() {
    await this.ask('end');
    const exited = once(this.#process, 'exit').then(([code, signal]) => signal ?? code);
    this.#process.disconnect();
    const how = await Promise.race([exited, pause(EXIT_MS, 'nothing yet', { ref: false })]);
    if (how !== 0) throw this.#errorOf('end', `it ended with ${how}`);
  }

  /** Whatever of it is still there, with the processes that it has started. */
  kill() {
    return killTree(this.#process);
  }

  /** @param {string} question @param {string} how */
  #errorOf(question, how) {
    return new Error(`${this.#name}, ${question}: ${how}\n${this.#stderr}`.trimEnd());
  }
}

/**
 * Starts children, which begin side by side, each with its settings and a folder of its own. They are gone when the work is done
 * or has failed, and so are their folders.
 *
 * @template T
 * @param {Readonly<Record<string, { script: string, settings: object }>>} wanted by the names of what they measure
 * @param {(childOf: (name: string) => Child) => Promise<T>} work
 * @param {NodeJS.ProcessEnv} [env]
 */
export function withChildren(wanted, work, env = process.env) {
  return inScratch(async (scratch) => {
    /** @type {Map<string, Child>} */
    const children = new Map();
    /** @param {string} name */
    const childOf = (name) => {
      const child = children.get(name);
      if (child === undefined) throw new Error(`there is no child "${name}"`);
      return child;
    };
    try {
      for (const [name, { script }] of Object.entries(wanted))
        children.set(name, new Child(name, script, env));
      await Promise.all(
        Object.entries(wanted).map(([name, { settings }], number) => {
          const folder = path.join(scratch, String(number));
          mkdirSync(folder);
          return childOf(name).turn('begin', { folder, ...settings });
        }),
      );
      const result = await work(childOf);
      await Promise.all(Array.from(children.values(), (child) => child.end()));
      return result;
    } finally {
      await Promise.all(Array.from(children.values(), (child) => child.kill()));
    }
  });
}

/**
 * Rounds in which all of them take a turn, so that a drift of the machine's speed falls on all.
 *
 * @template T
 * @param {readonly string[]} names @param {{ warmUp?: number, rounds: number }} counts of rounds that do not count, and that do
 * @param {(name: string, round: number) => Promise<T>} turn rounds that warm up are below 0
 * @returns {Promise<Record<string, T[]>>} what each gave, round by round
 */
export async function takeRounds(names, { warmUp = 0, rounds }, turn) {
  /** @type {Record<string, T[]>} */
  const taken = {};
  for (let round = -warmUp; round < rounds; round++)
    for (const name of inTurn(names, round)) {
      const result = await turn(name, round);
      if (round >= 0) collect(taken, name, result);
    }
  return taken;
}

/**
 * In a child: begins, and answers what is asked then, until nobody can ask any more.
 *
 * @template {{ folder: string }} Settings
 * @param {(settings: Settings) => Promise<Answers & { end(): unknown }>} begin
 */
export function serve(begin) {
  /** @type {Answers} */
  let answers = {
    async begin(settings) {
      answers = await begin(settings);
    },
  };
  process.once('disconnect', () => process.exit());
  process.on('message', async (/** @type {Question} */ { question, args }) => {
    process.send?.(await answerOne(answers[question], args));
  });
}

/** @param {Answers[string] | undefined} give @param {unknown[]} args @returns {Promise<Answer>} */
async function answerOne(give, args) {
  try {
    if (give === undefined) throw new Error('nobody knows how to answer this');
    return { value: await give(...args) };
  } catch (error) {
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
