/** The keys of `napi-reload dev`, and how they are read. */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import type { Face } from './face.ts';
import type { Session } from './session.ts';

export interface Key {
  readonly key: string;
  readonly summary: string;
  press(session: Session, face: Face): void;
}

export const KEYS: readonly Key[] = [
  { key: 'r', summary: 'build what has changed, and reload', press: (session) => session.rebuild(false) },
  { key: 'f', summary: 'compile everything again, and reload', press: (session) => session.rebuild(true) },
  { key: 'b', summary: 'go back to the previous version', press: (session) => session.rollback() },
  {
    key: 'v',
    summary: 'show the versions in memory, and why they are there',
    press: (session) => void session.showVersions(),
  },
  { key: 'p', summary: 'pause, or go on: changes wait meanwhile', press: (session) => session.togglePause() },
  { key: 'u', summary: 'start the app again', press: (session) => session.restart('you asked for it') },
  {
    key: 'o',
    summary: 'tell of everything, or of less again',
    press: (_, face) => face.print([face.toggleVerbose() ? 'telling of everything' : 'telling of less']),
  },
  { key: 'h', summary: 'show this', press: (_, face) => face.print(keyHelp()) },
  { key: 'q', summary: 'end the app, and this', press: (session) => session.end(0) },
];

/** Keys that are no letters of their own. */
export interface ControlKeys {
  interrupt(): void;
  suspend(): void;
  clear(): void;
}

export function keyHelp(): readonly string[] {
  return [
    ...KEYS.map(({ key, summary }) => `  ${key}  ${summary}`),
    '  Ctrl-C  the same as q; once more, at once',
  ];
}

/**
 * Reads keys one by one, with or without Enter behind them, until the returned function is called.
 *
 * @param input a terminal, which has its old mode afterwards
 * @param current what they are for when they are pressed
 */
export function readKeys(
  input: ReadStream,
  current: () => { readonly session: Session; readonly face: Face },
  control: ControlKeys,
): () => void {
  const onKeypress = (
    _: unknown,
    pressed: { readonly name?: string; readonly ctrl?: boolean; readonly sequence?: string },
  ): void => {
    if (pressed.ctrl === true) {
      if (pressed.name === 'c') control.interrupt();
      if (pressed.name === 'd') current().session.end(0);
      if (pressed.name === 'z') control.suspend();
      if (pressed.name === 'l') control.clear();
      return;
    }
    const { session, face } = current();
    KEYS.find(({ key }) => key === pressed.sequence)?.press(session, face);
  };
  emitKeypressEvents(input);
  input.on('keypress', onKeypress);
  input.setRawMode(true);
  input.resume();
  return () => {
    input.off('keypress', onKeypress);
    input.setRawMode(false);
    input.pause();
  };
}
