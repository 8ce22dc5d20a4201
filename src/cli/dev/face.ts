/** What shows a session to whoever has started it. */
import type { DevEvent } from './events.ts';

export interface Face {
  tell(event: DevEvent): void;
  /** What the app writes, where that does not go its own way. */
  output(chunk: string): void;
  /** Lines that a key has asked for. */
  print(lines: readonly string[]): void;
  clear(): void;
  /** @returns whether everything is told of from now on */
  toggleVerbose(): boolean;
  /** The terminal has another size. */
  resized(): void;
  /** Leaves the terminal as it was, such as for another program; `tell` draws it again. Safe to call twice. */
  close(): void;
}
