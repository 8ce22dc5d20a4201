/** Does not start a builder that has nothing to do: after a save of the same bytes, or of a file that is only touched. */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import type { Outside } from '../outside.ts';
import { type Moment, momentNow, timeOf } from '../wall-clock.ts';
import type { Builder, BuildOutcome, BuildRequest } from './builder.ts';
import { hasChangedSince, walk } from './files.ts';
import { isSeenAgain, look, type Seen } from './seen.ts';
import { holdsSources } from './sources.ts';

/** Other files of the project that are looked at; where there are more, the builder is started. */
const OTHERS_MAX = 2_000;

const NOTHING: BuildOutcome = { configured: false, skipped: true, diagnostics: [], phasesMs: {} };

interface LastBuild {
  readonly began: Moment;
  /** What it read, as far as that was known when it began and did not change meanwhile. */
  readonly inputs: ReadonlyMap<string, Seen>;
  /** The addon as it left it. */
  readonly product: Seen | null;
}

/** The same builder, which is not started when all that it reads is as in the last good build of this handle. */
export function skipUnchanged(builder: Builder, source: SourcePath, outside: Outside): Builder {
  return new Unchanged(builder, source, outside);
}

class Unchanged implements Builder {
  readonly root: string;
  readonly #builder: Builder;
  readonly #source: SourcePath;
  readonly #outside: Outside;
  #last: LastBuild | null = null;

  constructor(builder: Builder, source: SourcePath, outside: Outside) {
    this.root = builder.root;
    this.#builder = builder;
    this.#source = source;
    this.#outside = outside;
  }

  inputs(): Promise<readonly string[]> {
    return this.#builder.inputs();
  }

  async build(request: BuildRequest): Promise<BuildOutcome> {
    const last = this.#last;
    const inputs = await this.#lookAgain(last?.inputs ?? new Map());
    const mayBeSkipped = request.always !== true && request.clean !== true;
    if (last !== null && mayBeSkipped && (await this.#isAsBefore(last, inputs))) return NOTHING;
    this.#last = null;
    const began = momentNow(this.#outside);
    // What is read for the first time is looked at while the builder runs: it must not wait for that.
    const more = this.#lookAtMore(inputs, began);
    const outcome = await this.#builder.build(request).finally(() => more);
    const checks = [...inputs].map(async ([file, seen]) => {
      // What changed during the build may have been read before or after it changed.
      if (!(await isSeenAgain(this.#outside, file, seen))) inputs.delete(file);
    });
    await Promise.all(checks);
    this.#last = { began, inputs, product: await look(this.#outside, this.#source) };
    return outcome;
  }

  async #lookAgain(known: ReadonlyMap<string, Seen>): Promise<Map<string, Seen>> {
    const inputs = new Map<string, Seen>();
    const looks = [...known].map(async ([file, before]) => {
      const seen = await look(this.#outside, file, before);
      if (seen !== null) inputs.set(file, seen);
    });
    await Promise.all(looks);
    return inputs;
  }

  /** Never rejects: what cannot be looked at is not known. */
  async #lookAtMore(inputs: Map<string, Seen>, began: Moment): Promise<void> {
    const files = await this.#builder.inputs().catch(() => []);
    const looks = files.map(async (file) => {
      if (inputs.has(file) || (await hasChangedSince(this.#outside, file, timeOf(this.#outside, began))))
        return;
      const seen = await look(this.#outside, file);
      if (seen !== null) inputs.set(file, seen);
    });
    await Promise.all(looks);
  }

  async #isAsBefore(last: LastBuild, inputs: ReadonlyMap<string, Seen>): Promise<boolean> {
    if (last.inputs.size === 0) return false;
    if (last.product === null || !(await isSeenAgain(this.#outside, this.#source, last.product)))
      return false;
    for (const [file, { hash }] of last.inputs) if (inputs.get(file)?.hash !== hash) return false;
    const listed = await this.#listOthers();
    if (listed === null || listed.length > OTHERS_MAX) return false;
    const others = new Set([...(await this.#builder.inputs()), ...listed]);
    const sinceMs = timeOf(this.#outside, last.began);
    const looks = [...others].map((file) => {
      return inputs.has(file) ? false : hasChangedSince(this.#outside, file, sinceMs);
    });
    return !(await Promise.all(looks)).includes(true);
  }

  /** @returns files of the project, known or not; null when they cannot all be listed */
  async #listOthers(): Promise<readonly string[] | null> {
    const output = path.dirname(this.#source);
    return walk(this.#outside, this.root, {
      enters: (folder) => folder !== output && holdsSources(folder),
      wants: (file) => file !== this.#source,
      isStrict: true,
    });
  }
}
