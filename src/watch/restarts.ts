/** Bounds how often changes during builds start the next one: a build that changes what it reads would never end. */

/** Builds in a row that a change may end before one is left to run to its end. */
export const RESTARTS_MAX = 5;
/** Builds in a row that changes of one file during the one before may start at once. */
export const RERUNS_MAX = 20;
/** Rest before any more of them, in milliseconds. Somebody may be saving all the time: no edit is dropped. */
export const RERUN_REST_MS = 1_000;

export interface RestartRequest {
  onChange(files: readonly string[]): void;
  onWarning(message: string): void;
  /** Calls back once after `delayMs`. */
  after(delayMs: number, callback: () => void): void;
}

export class Restarts {
  readonly #request: RestartRequest;
  /** Builds in a row during which files changed. */
  #streak = 0;
  /** In how many of them each file did. */
  readonly #counts = new Map<string, number>();
  /** Files that were counted for the build that began last. */
  #counted = new Set<string>();
  #building = false;
  #warned = false;
  /** Changes that wait for the end of the build. */
  #held = new Set<string>();

  constructor(request: RestartRequest) {
    this.#request = request;
  }

  begin(): void {
    this.#building = true;
    this.#counted = new Set();
  }

  end(): void {
    this.#building = false;
    const held = [...this.#held];
    this.#held = new Set();
    if (held.length > 0) this.#rerun(held);
  }

  /** Files changed while no build ran: somebody is at work. */
  changedOutside(files: readonly string[]): void {
    this.#streak = 0;
    this.#counts.clear();
    this.#request.onChange(files);
  }

  /** Files changed during a build, which may still run. */
  changedInside(files: readonly string[]): void {
    const isFirst = this.#counted.size === 0;
    if (isFirst) this.#streak += 1;
    for (const file of files.filter((name) => !this.#counted.has(name))) {
      this.#counted.add(file);
      this.#counts.set(file, (this.#counts.get(file) ?? 0) + 1);
    }
    if (!this.#building) this.#rerun(files);
    else if (this.#streak <= RESTARTS_MAX) this.#request.onChange(files);
    else {
      for (const file of files) this.#held.add(file);
      if (!isFirst || this.#streak !== RESTARTS_MAX + 1) return;
      this.#request.onWarning(
        `${quote(files)} changed during ${this.#streak} builds in a row: this one is not ended for it. If the build writes it, leave it out with "watch.ignore"`,
      );
    }
  }

  /** A file that changes in every build may be the build's own doing; an edit of another file beside it may not. */
  #rerun(files: readonly string[]): void {
    const isOften = (file: string) => (this.#counts.get(file) ?? 0) > RERUNS_MAX;
    if (!files.every(isOften)) {
      this.#request.onChange(files);
      return;
    }
    this.#request.after(RERUN_REST_MS, () => this.#request.onChange(files));
    if (this.#warned) return;
    this.#warned = true;
    this.#request.onWarning(
      `${quote(files)} changed during more than ${RERUNS_MAX} builds in a row: from now on the next one starts ${RERUN_REST_MS} ms later. If the build writes it, leave it out with "watch.ignore"`,
    );
  }
}

function quote(files: readonly string[]): string {
  return files.map((file) => JSON.stringify(file)).join(', ');
}
