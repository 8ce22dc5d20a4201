/** What is known of a check, word by word. It holds whatever ends the process. */
import type { NativePin } from '../native.ts';
import { trimmedSlope, quantile, measured } from './growth.ts';
import type { CheckFailure, CheckPlace, CheckReport } from './report.ts';
import type { Outcome, Sample, Word } from './words.ts';

type Figures = Pick<
  CheckReport,
  | 'reloads'
  | 'unloaded'
  | 'pinned'
  | 'kept'
  | 'mappingsGrown'
  | 'rssBytesPerReload'
  | 'medianMs'
  | 'p99Ms'
  | 'pins'
>;

export class Tally {
  /** Of versions that were replaced. */
  readonly #outcomes = new Map<number, Outcome>();
  /** Of versions that were pinned, the last one among them, which nothing replaced. */
  readonly #endings = new Map<number, Outcome>();
  readonly #timesMs: number[] = [];
  readonly #samples: Sample[] = [];
  #pins: readonly NativePin[] = [];
  place: CheckPlace = { reload: 0, during: 'load' };
  threw: CheckFailure | null = null;
  isDone = false;

  take(word: Word): void {
    switch (word.kind) {
      case 'step':
        this.place = { reload: word.reload, during: word.during };
        break;
      case 'reloaded':
        this.#timesMs.push(word.ms);
        this.#outcomes.set(word.version, word.outcome);
        break;
      case 'ended':
        this.#endings.set(word.version, word.outcome);
        break;
      case 'sample':
        this.#samples.push(word);
        break;
      case 'threw': {
        const { kind: _, ...failure } = word;
        this.threw = failure;
        break;
      }
      case 'pins':
        this.#pins = word.pins;
        break;
      case 'done':
        this.isDone = true;
    }
  }

  figures(): Figures {
    const outcomes = [...this.#outcomes].map(([version, outcome]) => this.#endings.get(version) ?? outcome);
    const count = (wanted: Outcome): number => outcomes.filter((outcome) => outcome === wanted).length;
    const half = measured(this.#samples);
    const points = half?.map(({ reload, rssBytes }) => ({ x: reload, y: rssBytes }));
    return {
      reloads: this.#timesMs.length,
      unloaded: count('unloaded'),
      pinned: count('pinned'),
      kept: count('kept'),
      mappingsGrown: half === null ? null : (half.at(-1)?.mappings ?? 0) - (half[0]?.mappings ?? 0),
      rssBytesPerReload: points === undefined ? null : Math.round(trimmedSlope(points)),
      medianMs: rounded(quantile(this.#timesMs, 0.5)),
      p99Ms: rounded(quantile(this.#timesMs, 0.99)),
      pins: summedUp(this.#pins),
    };
  }
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}

function summedUp(pins: readonly NativePin[]): Figures['pins'] {
  const counts = new Map<string, number>();
  for (const { kind, count } of pins) counts.set(kind, (counts.get(kind) ?? 0) + count);
  return [...counts].map(([kind, count]) => ({ kind, count }));
}
