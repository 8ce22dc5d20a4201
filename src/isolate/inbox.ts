/** What a host says, for whoever listens to it now. */
import type { FromHost } from './messages.ts';

export class Inbox {
  /** What came before anybody listened. */
  #early: FromHost[] = [];
  #listener: ((message: FromHost) => void) | null = null;
  /** Whether what comes is still of the version that ran in the host before. */
  #isStale = false;

  deliver(message: FromHost): void {
    if ('fresh' in message) this.#isStale = false;
    else if (this.#isStale) return;
    else if (this.#listener === null) this.#early.push(message);
    else this.#listener(message);
  }

  /** Gets what came before, and all that comes; nobody else does any more. */
  listen(listener: (message: FromHost) => void): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener(message);
  }

  /** Nobody listens until the host is as if it had just started. */
  reset(): void {
    this.#listener = null;
    this.#early = [];
    this.#isStale = true;
  }
}
