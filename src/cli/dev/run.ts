/** Sessions with their faces, one for each configuration. */
import assert from 'node:assert/strict';
import process from 'node:process';
import picocolors from 'picocolors';
import { describe } from '../../errors.ts';
import { realOutside } from '../../outside.ts';
import { packageVersion } from '../package-version.ts';
import { type AppPlan, appCommand } from './app-command.ts';
import type { Edits } from './edits.ts';
import type { DevEvent } from './events.ts';
import type { Face } from './face.ts';
import { JsonFace } from './json-face.ts';
import { listen, type Shown } from './listen.ts';
import { type PlanRequest, planOpened } from './plans.ts';
import type { ProjectPlan } from './project.ts';
import { Screen } from './screen.ts';
import { Session } from './session.ts';
import { TextFace } from './text-face.ts';

export interface DevRequest {
  readonly app: AppPlan;
  readonly plans: readonly ProjectPlan[];
  readonly request: PlanRequest;
  readonly cwd: string;
  /** Added to the environment of the app. */
  readonly env: Readonly<Record<string, string>>;
  readonly isJson: boolean;
  readonly clearsScreen: boolean;
  /** Whether the terminal is the app's own. */
  readonly inherits: boolean;
  readonly restarts: boolean;
  readonly endsWithApp: boolean;
}

/** One session, by one configuration. */
interface Run extends Shown {
  readonly request: DevRequest;
}

/**
 * Runs what is asked for, and each time that the configuration was edited, what is asked for then.
 *
 * @returns the exit code, when nothing runs any more
 * @throws `ReloadError` of what cannot be set up at first
 */
export function runDev(first: DevRequest, edits: Edits<DevRequest>): Promise<number> {
  return new Runs(first, edits).untilEnd();
}

class Runs {
  readonly #edits: Edits<DevRequest>;
  #run: Run;
  /** What the last edit asks for, until it runs. */
  #next: DevRequest | null = null;
  /** What ran before the last edit, until that is known to run. */
  #previous: DevRequest | null = null;

  constructor(first: DevRequest, edits: Edits<DevRequest>) {
    this.#edits = edits;
    this.#run = createRun(first);
  }

  async untilEnd(): Promise<number> {
    const listening = listen(() => this.#run);
    this.#edits.listen({
      wanted: (request) => {
        this.#next = request;
        this.#run.session.giveWay('the configuration was edited');
      },
      warn: (message) => this.#run.session.tell(configWarning(message)),
    });
    try {
      for (;;) {
        const failure = await this.#untilOver();
        // Nothing is awaited from here on: whoever asks for the end is heard by this session or by the next.
        const { session, face } = this.#run;
        const { exitCode } = session;
        if (exitCode !== null) {
          face.tell({ type: 'end', exitCode });
          return exitCode;
        }
        const following = this.#following(failure);
        face.close();
        this.#run = createRun(following);
        listening.changed();
      }
    } finally {
      listening.stop();
      this.#run.face.close();
    }
  }

  /** @returns why the session could not be started; null for one that was, and is over */
  async #untilOver(): Promise<unknown> {
    const { session } = this.#run;
    try {
      await session.start();
    } catch (error) {
      return error;
    }
    await session.ended;
    return null;
  }

  /** @throws `failure` when there is nothing else to run */
  #following(failure: unknown): DevRequest {
    const { request, face } = this.#run;
    const following = this.#next ?? this.#previous;
    if (failure !== null) {
      if (following === null) throw failure;
      face.tell(configWarning(describe(failure)));
    }
    assert(following !== null, 'A session is over that nobody has ended');
    if (failure === null) this.#previous = request;
    else if (this.#next === null) this.#previous = null;
    this.#next = null;
    return following;
  }
}

function configWarning(message: string): DevEvent {
  return { type: 'warning', code: 'config', message };
}

function createRun(request: DevRequest): Run {
  const hasScreen = !request.isJson && !request.inherits && isScreen();
  const hasKeys = hasScreen && process.stdin.isTTY;
  const face = createFace(request, hasScreen, hasKeys);
  return { request, face, hasKeys, session: createSession(request, face, hasScreen, hasKeys) };
}

/** Whether somebody looks who is there to press keys. */
function isScreen(): boolean {
  const { CI, TERM } = process.env;
  const isCi = CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
  return process.stdout.isTTY === true && !isCi && TERM !== 'dumb';
}

function createFace(request: DevRequest, hasScreen: boolean, hasKeys: boolean): Face {
  if (request.isJson) return new JsonFace((text) => process.stdout.write(text));
  const { GITHUB_ACTIONS, GITHUB_WORKSPACE } = process.env;
  const stream = hasScreen ? process.stdout : process.stderr;
  return new TextFace({
    colors: picocolors.createColors(picocolors.isColorSupported && (hasScreen || isColored())),
    cwd: request.cwd,
    screen: hasScreen ? new Screen(process.stdout) : null,
    write: (text) => stream.write(text),
    clearsScreen: hasScreen && request.clearsScreen,
    hasKeys,
    restarts: request.restarts,
    workspace: GITHUB_ACTIONS === 'true' ? (GITHUB_WORKSPACE ?? request.cwd) : null,
  });
}

/** picocolors looks at stdout; without a screen, lines go to stderr. */
function isColored(): boolean {
  const { FORCE_COLOR } = process.env;
  return process.stderr.isTTY === true || (FORCE_COLOR !== undefined && FORCE_COLOR !== '0');
}

function createSession(request: DevRequest, face: Face, hasScreen: boolean, hasKeys: boolean): Session {
  const { app, plans, cwd, restarts, endsWithApp } = request;
  const env = { ...(hasScreen ? colorVariables() : {}), ...request.env };
  // The screen has to know what is on it; whatever else is written to goes its own way.
  const errors = hasScreen && process.stderr.isTTY ? 'pipe' : 2;
  return new Session(
    {
      ...{ plans, restarts, endsWithApp },
      stdio: [hasKeys ? 'ignore' : 'inherit', request.isJson ? 2 : hasScreen ? 'pipe' : 'inherit', errors],
      version: packageVersion(),
      command: (socket) => appCommand(app, { cwd, env, socket }),
      planFor: (addon) => planOpened(realOutside, addon, request.request),
      tell: (event) => face.tell(event),
      output: (_, chunk) => face.output(chunk),
    },
    realOutside,
  );
}

/** An app that writes to a pipe does not know that a terminal comes behind it. */
function colorVariables(): Readonly<Record<string, string>> {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (NO_COLOR || FORCE_COLOR !== undefined || !picocolors.isColorSupported) return {};
  const level = { 1: '0', 4: '1', 8: '2', 24: '3' }[process.stdout.getColorDepth()] ?? '1';
  return { FORCE_COLOR: level };
}
