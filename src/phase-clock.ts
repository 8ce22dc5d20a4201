/** Times each stage of one reload. */
import type { Steps } from './later.ts';
import type { Outside } from './outside.ts';
import type { Phase, PhasesMs } from './report.ts';

export class PhaseClock {
  readonly #outside: Outside;
  readonly #onBegin: (phase: Phase) => void;
  readonly #phasesMs: Partial<Record<Phase, number>> = {};

  /** `onBegin` is told of the stages that run outside of the switch; inside it nobody may run but the stages. */
  constructor(outside: Outside, onBegin: (phase: Phase) => void) {
    this.#outside = outside;
    this.#onBegin = onBegin;
  }

  get phasesMs(): PhasesMs {
    return { ...this.#phasesMs };
  }

  async during<T>(phase: Phase, work: () => T | Promise<T>): Promise<T> {
    this.#onBegin(phase);
    const startMs = this.#outside.nowMs();
    try {
      return await work();
    } finally {
      this.#phasesMs[phase] = this.#outside.nowMs() - startMs;
    }
  }

  /** As `during`, for work that can also be done at once. */
  *through<T>(phase: Phase, work: () => Steps<T>): Steps<T> {
    this.#onBegin(phase);
    return yield* this.inSteps(phase, work);
  }

  *inSteps<T>(phase: Phase, work: () => Steps<T>): Steps<T> {
    const startMs = this.#outside.nowMs();
    try {
      return yield* work();
    } finally {
      this.#phasesMs[phase] = this.#outside.nowMs() - startMs;
    }
  }

  /** As `during`, for work that takes no turn of its own. */
  outsideSwitch<T>(phase: Phase, work: () => T): T {
    this.#onBegin(phase);
    return this.inSwitch(phase, work);
  }

  inSwitch<T>(phase: Phase, work: () => T): T {
    const startMs = this.#outside.nowMs();
    try {
      return work();
    } finally {
      this.#phasesMs[phase] = this.#outside.nowMs() - startMs;
    }
  }
}
