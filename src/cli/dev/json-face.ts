/** The face for programs: each event is a line of JSON. */
import type { DevEvent } from './events.ts';
import type { Face } from './face.ts';

export class JsonFace implements Face {
  readonly #write: (text: string) => unknown;

  constructor(write: (text: string) => unknown) {
    this.#write = write;
  }

  tell(event: DevEvent): void {
    const { type, ...rest } = event;
    this.#write(`${JSON.stringify({ type, timeMs: Date.now(), ...rest })}\n`);
  }

  output(): void {}

  print(): void {}

  clear(): void {}

  toggleVerbose(): boolean {
    return true;
  }

  resized(): void {}

  close(): void {}
}
