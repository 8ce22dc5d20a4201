/** The steps of one command as they come: how many there have been, and the time of each kind. */
import type { BuildPhasesMs, BuildProgress } from './builder.ts';
import { readStep, type Step } from './progress.ts';

/** Follows the output of one command, line by line. */
export class Steps {
  readonly #nowMs: () => number;
  readonly #total: number | null;
  readonly #ms: Record<Step['kind'], number> = { compile: 0, link: 0, other: 0 };
  readonly #seen = new Set<Step['kind']>();
  #kind: Step['kind'] = 'other';
  #sinceMs: number;
  #done = 0;

  /** @param total how many steps there will be, where that is known and the tool does not tell it itself */
  constructor(nowMs: () => number, total: number | null) {
    this.#nowMs = nowMs;
    this.#total = total;
    this.#sinceMs = nowMs();
  }

  /** @returns null when the line tells of no step */
  line(text: string): BuildProgress | null {
    const found = readStep(text);
    if (found === null) return null;
    this.#seen.add(found.kind);
    // A line that ends its step says what the time before it was for, any other what the time after it is for.
    this.#pass(found.hasEnded ? found.kind : this.#kind);
    this.#kind = found.kind;
    this.#done += 1;
    if (found.done !== undefined && found.total !== undefined)
      return { step: found.step, done: found.done, total: found.total };
    if (this.#total === null || this.#done > this.#total) return { step: found.step };
    return { step: found.step, done: this.#done, total: this.#total };
  }

  /** The command has ended. */
  end(): Pick<BuildPhasesMs, 'compile' | 'link'> {
    this.#pass(this.#kind);
    return {
      ...(this.#seen.has('compile') ? { compile: this.#ms.compile } : {}),
      ...(this.#seen.has('link') ? { link: this.#ms.link } : {}),
    };
  }

  #pass(kind: Step['kind']): void {
    const nowMs = this.#nowMs();
    this.#ms[kind] += nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
  }
}
