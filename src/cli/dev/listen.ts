/** What reaches `napi-reload dev` from outside, over all of its runs: signals, keys, the size of the terminal. */
import process from 'node:process';
import type { Face } from './face.ts';
import { readKeys } from './keys.ts';
import type { Session } from './session.ts';

/** A session, and who shows it. */
export interface Shown {
  readonly session: Session;
  readonly face: Face;
  /** Whether there is somebody to press keys. */
  readonly hasKeys: boolean;
}

export interface Listening {
  /** Another session is on: its keys are read, where it has any. */
  changed(): void;
  /** Leaves the terminal as it was. */
  stop(): void;
}

/** As shells have it: 128 and the number of the signal. */
const EXIT_OF = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;

/** @param current what is on now */
export function listen(current: () => Shown): Listening {
  const end = (signal: keyof typeof EXIT_OF): void => {
    const code = EXIT_OF[signal];
    const { session, face } = current();
    if (session.exitCode === null) {
      session.end(code, signal);
      return;
    }
    // Whoever cannot wait: what was started is killed as this process exits.
    face.close();
    process.exit(code);
  };
  const signals = Object.keys(EXIT_OF) as (keyof typeof EXIT_OF)[];
  for (const signal of signals) process.on(signal, end);
  const onResize = (): void => current().face.resized();
  process.stdout.on('resize', onResize);
  // Nobody reads any more, such as `head`. Each line that is written fails again, the last one after all has ended: these
  // listeners stay.
  const onError = (): void => current().session.end(EXIT_OF.SIGTERM);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', onError);
  const onExit = (): void => current().session.endNow();
  process.on('exit', onExit);
  const keys = listenToKeys(current, () => end('SIGINT'));
  return {
    changed: () => keys.changed(),
    stop() {
      for (const signal of signals) process.off(signal, end);
      process.stdout.off('resize', onResize);
      process.off('exit', onExit);
      keys.stop();
    },
  };
}

function listenToKeys(current: () => Shown, interrupt: () => void): Listening {
  let state: 'on' | 'suspended' | 'stopped' = 'on';
  let stopReading: (() => void) | null = null;
  const follow = (): void => {
    if (state === 'on' && current().hasKeys) {
      stopReading ??= readKeys(process.stdin, current, { interrupt, suspend, clear });
      return;
    }
    stopReading?.();
    stopReading = null;
  };
  const clear = (): void => current().face.clear();
  const suspend = (): void => {
    state = 'suspended';
    follow();
    current().face.close();
    // With npx, or whatever has started it; the app goes on.
    process.kill(0, 'SIGTSTP');
    // Runs once it goes on; at once where there is no shell that could have it go on.
    setImmediate(() => {
      if (state === 'stopped') return;
      state = 'on';
      follow();
      current().face.resized();
    });
  };
  follow();
  return {
    changed: follow,
    stop() {
      state = 'stopped';
      follow();
    },
  };
}
