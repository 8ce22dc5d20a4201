/** A session with its face: the terminal, the keys, the signals. */
import process from 'node:process';
import picocolors from 'picocolors';
import { realOutside } from '../../outside.ts';
import { packageVersion } from '../package-version.ts';
import { type AppPlan, appCommand } from './app-command.ts';
import type { Face } from './face.ts';
import { JsonFace } from './json-face.ts';
import { readKeys } from './keys.ts';
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

/** As shells have it: 128 and the number of the signal. */
const EXIT_OF = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * @returns the exit code, when nothing of it runs any more
 * @throws `ReloadError` of what cannot be set up
 */
export async function runDev(request: DevRequest): Promise<number> {
  const hasScreen = !request.isJson && !request.inherits && isScreen();
  const hasKeys = hasScreen && process.stdin.isTTY;
  const face = createFace(request, hasScreen, hasKeys);
  const session = createSession(request, face, hasScreen, hasKeys);
  const stopListening = listen(session, face, hasKeys);
  try {
    await session.start();
    return await session.ended;
  } finally {
    stopListening();
    face.close();
  }
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

/** Signals, keys and the size of the terminal. @returns what ends it */
function listen(session: Session, face: Face, hasKeys: boolean): () => void {
  let isEnding = false;
  const end = (signal: keyof typeof EXIT_OF): void => {
    const code = EXIT_OF[signal];
    if (!isEnding) {
      isEnding = true;
      session.end(code, signal);
      return;
    }
    // Whoever cannot wait: what was started is killed as this process exits.
    face.close();
    process.exit(code);
  };
  const signals = Object.keys(EXIT_OF) as (keyof typeof EXIT_OF)[];
  for (const signal of signals) process.on(signal, end);
  const onResize = (): void => face.resized();
  process.stdout.on('resize', onResize);
  // Nobody reads any more, such as `head`. Each line that is written fails again.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => session.end(EXIT_OF.SIGTERM));
  const onExit = (): void => session.endNow();
  process.on('exit', onExit);

  let stopKeys = (): void => {};
  const startKeys = (): void => {
    if (!hasKeys) return;
    const suspend = (): void => {
      stopKeys();
      face.close();
      // With npx, or whatever has started it; the app goes on.
      process.kill(0, 'SIGTSTP');
      // Runs once it goes on; at once where there is no shell that could have it go on.
      setImmediate(() => {
        startKeys();
        face.resized();
      });
    };
    const control = { interrupt: () => end('SIGINT'), suspend, clear: () => face.clear() };
    stopKeys = readKeys(process.stdin, session, face, control);
  };
  startKeys();
  return () => {
    for (const signal of signals) process.off(signal, end);
    process.stdout.off('resize', onResize);
    process.off('exit', onExit);
    stopKeys();
  };
}
