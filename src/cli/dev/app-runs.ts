/** The runs of the app, one after the other. */
import type { StdioOptions } from 'node:child_process';
import { describe } from '../../errors.ts';
import type { Outside } from '../../outside.ts';
import { App, type AppCommand, type AppEnd } from './app.ts';
import type { DevEvent } from './events.ts';

export type AppState = 'not-started' | 'running' | 'ended' | 'crashed';

export interface AppRunsOptions {
  readonly command: AppCommand;
  readonly stdio: StdioOptions;
  readonly outside: Outside;
  tell(event: DevEvent): void;
  output(stream: 'stdout' | 'stderr', chunk: string): void;
  /** It ended by itself, or could not be started. */
  onEnd(end: AppEnd): void;
}

export class AppRuns {
  readonly #options: AppRunsOptions;
  #app: App | null = null;
  /** Starts and stops, one at a time. */
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  state: AppState = 'not-started';

  constructor(options: AppRunsOptions) {
    this.#options = options;
  }

  /** Does nothing while it runs. */
  start(): Promise<void> {
    return this.#next(() => this.#launch());
  }

  /** Ends a run, if there is one, and starts the next. */
  restart(): Promise<void> {
    return this.#next(async () => {
      await this.#app?.stop('SIGTERM');
      this.#launch();
    });
  }

  /** Ends a run, if there is one; there is none afterwards. */
  close(signal: NodeJS.Signals): Promise<void> {
    this.#closed = true;
    return this.#next(async () => this.#app?.stop(signal));
  }

  #next(step: () => void | Promise<void>): Promise<void> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #launch(): void {
    if (this.#closed || this.#app !== null) return;
    const { command, stdio, outside, output } = this.#options;
    const app = new App(command, stdio, { output, ended: (end) => this.#ended(end) }, outside);
    this.#app = app;
    this.state = 'running';
    if (app.pid !== null) this.#options.tell({ type: 'app-started', pid: app.pid, command: command.title });
  }

  #ended(end: AppEnd): void {
    this.#app = null;
    if (end.kind === 'not-started') {
      this.state = 'crashed';
      this.#options.tell({ type: 'app-failed', message: describe(end.cause) });
      this.#options.onEnd(end);
      return;
    }
    const { pid, exitCode, signal, asked } = end;
    this.state = asked ? 'not-started' : exitCode === 0 ? 'ended' : 'crashed';
    this.#options.tell({ type: 'app-ended', pid, exitCode, signal, asked });
    if (!asked) this.#options.onEnd(end);
  }
}
