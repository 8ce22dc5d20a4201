// Children that take turns: each way that is measured has a process of its own, which is told of a build, does its round, and
// answers what it measured. Requests and answers are lines of text, which every language can read and write:
//
//     reload VERSION   a build of this version was installed: {"first":MS,"ended":MS}, `ended` where the old version ends
//     collect          collect garbage: {}
//
// At the end of its input a child ends by itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Builds } from './builds.mjs';
import { untilIdle } from './idle.mjs';
import { inTurn } from './order.mjs';
import { hasEnded, killTree } from './tree.mjs';

const ANSWER_MS = 60_000;
const END_MS = 10_000;
/** Of what a child says on its way out, so much is told. */
const LAST_WORDS_LENGTH = 4_000;

/**
 * How a child is started: it is given the file that is built, and a folder for its copies.
 *
 * @typedef {{ command: string, args: readonly string[], builds: readonly string[], more?: readonly string[] }} Way
 *   `builds` are files of version 1, 2, …; `more` are arguments behind those two
 */

/** In ms. `phasesMs` are stages of it. @typedef {{ first: number, ended?: number, phasesMs?: Record<string, number> }} Round */

/** One way, with a child and a folder of its own. */
export class Runner {
  /** @readonly */
  name;
  /** @readonly */
  folder;
  #child;
  #builds;
  #lastWords = '';
  /** @type {string | null} */
  #failure = null;
  /** @type {{ resolve(line: string): void, reject(error: Error): void } | null} */
  #waiting = null;

  /** @param {string} name @param {Way} way @param {string} folder that is made */
  constructor(name, { command, args, builds, more = [] }, folder) {
    this.name = name;
    this.folder = folder;
    mkdirSync(folder);
    const file = path.join(folder, `kernel${path.extname(builds[0] ?? '')}`);
    this.#builds = new Builds(builds, file);
    this.#builds.install();
    // What it writes where it happens to be, such as a dump of a crash, goes with the folder.
    this.#child = spawn(command, [...args, file, folder, ...more], { stdio: 'pipe', cwd: folder });
    this.#child.stderr.on('data', (bytes) => {
      this.#lastWords = `${this.#lastWords}${bytes}`.slice(-LAST_WORDS_LENGTH);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting?.resolve(line));
    this.#child.on('error', (error) => this.#fail(error.message));
    // After its output was read, too.
    this.#child.on('close', (code, signal) => this.#fail(`it ended with ${signal ?? code}`));
    // Writing to a child that has ended; its end is told by 'close'.
    this.#child.stdin.on('error', () => undefined);
  }

  /** Puts the next version in place, which the child is to bring to life. */
  async round() {
    const version = this.#builds.install();
    return parseRound(this.name, await this.#ask(`reload ${version}`));
  }

  /** Collects garbage. The first time, it also waits for the child to have started. */
  collect() {
    return this.#ask('collect');
  }

  /** Waits until nothing of it runs. */
  rest() {
    return untilIdle(this.pid);
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** Safe to call also after a failure. */
  async end() {
    if (hasEnded(this.#child)) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin.end();
    const gaveUp = new AbortController();
    const tooLate = pause(END_MS, null, { signal: gaveUp.signal }).then(() => killTree(this.#child));
    await Promise.race([ended, tooLate.catch(() => undefined)]);
    gaveUp.abort();
  }

  /** @param {string} request @returns {Promise<unknown>} */
  async #ask(request) {
    if (this.#failure !== null) throw this.#errorOf(this.#failure);
    /** @type {PromiseWithResolvers} */
    const answer = withResolvers();
    this.#waiting = answer;
    const timer = setTimeout(() => {
      this.#fail(`it did not answer "${request}" within ${ANSWER_MS} ms`);
      void killTree(this.#child);
    }, ANSWER_MS);
    try {
      this.#child.stdin.write(`${request}\n`);
      return JSON.parse(await answer.promise);
    } finally {
      clearTimeout(timer);
      this.#waiting = null;
    }
  }

  /** @param {string} found */
  #fail(found) {
    this.#failure ??= found;
    this.#waiting?.reject(this.#errorOf(found));
  }

  /** @param {string} found */
  #errorOf = (found) => new Error(`cannot measure "${this.name}": ${found}\n${this.#lastWords}`.trimEnd());
}

/** @typedef {{ promise: Promise<string>, resolve(line: string): void, reject(error: Error): void }} PromiseWithResolvers */

/** Promise.withResolvers() of later versions of Node.js. @returns {PromiseWithResolvers} */
function withResolvers() {
  let [resolve, reject] = [(/** @type {string} */ _line) => {}, (/** @type {Error} */ _error) => {}];
  /** @type {Promise<string>} */
  const promise = new Promise((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}

/** @param {string} name @param {unknown} answer @returns {Round} */
function parseRound(name, answer) {
  const round = /** @type {Partial<Round> | null} */ (answer);
  const isTime = (/** @type {unknown} */ value) => typeof value === 'number' && value > 0;
  if (isTime(round?.first) && (round?.ended === undefined || isTime(round.ended)))
    return /** @type {Round} */ (round);
  throw new Error(`cannot measure "${name}": it answered ${JSON.stringify(answer)}`);
}

/**
 * Starts a child for each way, and ends all of them, also after a failure.
 *
 * @template T
 * @param {Record<string, Way>} ways @param {string} folder of all that they write
 * @param {(runners: readonly Runner[]) => Promise<T>} work
 */
export async function withRunners(ways, folder, work) {
  /** @type {Runner[]} */
  const runners = [];
  try {
    for (const [name, way] of Object.entries(ways))
      runners.push(new Runner(name, way, path.join(folder, `way-${runners.length}`)));
    await Promise.all(runners.map((runner) => runner.collect()));
    return await work(runners);
  } finally {
    await Promise.all(runners.map((runner) => runner.end()));
  }
}

/**
 * Rounds of all, who take turns once all have warmed up.
 *
 * @param {readonly Runner[]} runners @param {{ warmUp: number, rounds: number }} counts
 * @returns {Promise<Record<string, Round[]>>} by way
 */
export async function takeTurns(runners, { warmUp, rounds }) {
  /** @type {Record<string, Round[]>} */
  const taken = Object.fromEntries(runners.map(({ name }) => [name, []]));
  await Promise.all(
    runners.map(async (runner) => {
      for (let number = 0; number < warmUp; number++) await runner.round();
    }),
  );
  for (const runner of runners) await runner.rest();
  for (let number = 0; number < rounds; number++) {
    for (const runner of inTurn(runners, number)) {
      taken[runner.name]?.push(await runner.round());
      await runner.rest();
    }
  }
  return taken;
}
