/** `napi-reload dev` without a terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { DevEvent, DevEventOf } from '../../../../src/cli/dev/events.ts';
import type { Project } from './project.ts';

export interface RunningEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Its lines, of both streams, and its events where it prints them. */
export class Running implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly end: Promise<RunningEnd>;
  readonly out: string[] = [];
  readonly error: string[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;
  #ended = false;

  constructor(project: Project, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const [command = '', ...args] = project.dev(...words);
    this.child = spawn(command, args, {
      cwd: project.root,
      env: { ...project.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const name of ['out', 'error'] as const) {
      const input = name === 'out' ? this.child.stdout : this.child.stderr;
      if (input === null) continue;
      createInterface({ input }).on('line', (line) => {
        this[name].push(line);
        this.#wake();
      });
    }
    this.end = once(this.child, 'close').then(([exitCode, signal]) => {
      this.#ended = true;
      this.#wake();
      return { exitCode, signal };
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get events(): readonly DevEvent[] {
    return this.out.map((line) => JSON.parse(line) as DevEvent);
  }

  /** Of everything that it has told of and that runs, or ran. */
  get pids(): readonly number[] {
    return [this.pid, ...this.events.flatMap((event) => ('pid' in event ? event.pid : []))];
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** The next event of a type behind those that were waited for before. */
  async next<T extends DevEvent['type']>(
    type: T,
    isWanted: (event: DevEventOf<T>) => boolean = () => true,
  ): Promise<DevEventOf<T>> {
    for (;;) {
      while (this.#taken < this.out.length) {
        const event = this.events[this.#taken];
        this.#taken += 1;
        if (event?.type === type && isWanted(event as DevEventOf<T>)) return event as DevEventOf<T>;
      }
      await this.#more(`the event "${type}"`);
    }
  }

  /** A line that the app, or in the face for people this program, has written. @param from how many to pass by */
  async line(stream: 'out' | 'error', wanted: RegExp, from = 0): Promise<string> {
    for (;;) {
      const found = this[stream].slice(from).find((line) => wanted.test(line));
      if (found !== undefined) return found;
      await this.#more(String(wanted));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) this.kill('SIGTERM');
    await this.end;
  }

  async #more(wanted: string): Promise<void> {
    if (this.#ended)
      throw new Error(`It has ended before ${wanted}:\n${[...this.out, ...this.error].join('\n')}`);
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
