/** Notices when so many events come at once that the system may have dropped some, of which Node.js does not tell. */
import type { Outside } from '../outside.ts';

/** Events in one turn that are a flood: a part of what the system keeps for one process, by default 16,384. */
export const FLOOD_EVENTS_MIN = 4_096;

export class Floods {
  readonly #outside: Outside;
  readonly #onFlood: () => void;
  #events = 0;
  #cancel = (): void => {};

  constructor(outside: Outside, onFlood: () => void) {
    this.#outside = outside;
    this.#onFlood = onFlood;
  }

  /** What has piled up while this thread was busy comes in one turn. */
  count(): void {
    if (this.#events === 0) {
      this.#cancel = this.#outside.after(0, () => {
        this.#events = 0;
      });
    }
    this.#events += 1;
    if (this.#events === FLOOD_EVENTS_MIN) this.#onFlood();
  }

  stop(): void {
    this.#cancel();
  }
}
