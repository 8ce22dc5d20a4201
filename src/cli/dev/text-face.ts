/** The face for people: lines, and in a terminal a status below them. */
import type { Colors } from 'picocolors/types.js';
import { annotations } from './annotations.ts';
import type { DevEvent } from './events.ts';
import type { Face } from './face.ts';
import { type LineStyle, linesOf } from './lines.ts';
import type { Screen } from './screen.ts';
import { FIRST_STATE, nextState } from './state.ts';
import { type Mood, statusOf } from './status.ts';

export interface TextFaceOptions {
  readonly colors: Colors;
  readonly cwd: string;
  /** Null where there is no terminal, or somebody else writes to it. */
  readonly screen: Screen | null;
  /** Of what is printed without a screen. */
  write(text: string): unknown;
  readonly clearsScreen: boolean;
  readonly hasKeys: boolean;
  /** Whether the app is started again where a version cannot be swapped in place. */
  readonly restarts: boolean;
  /** The folder that GitHub shows messages beside; null where nobody does. */
  readonly workspace: string | null;
}

/** Width of a code frame where nothing says how wide a line may be. */
const COLUMNS = 120;
/** Rows of a screen that messages of a build leave to what comes around them. */
const ROWS_LEFT = 8;
/** Hazards that are remembered, so that each is told of once. */
const HAZARDS_MAX = 1_000;

export class TextFace implements Face {
  readonly #options: TextFaceOptions;
  #state = FIRST_STATE;
  #timings = new Map<string, Readonly<Record<string, number>>>();
  readonly #hazards = new Set<string>();
  #isVerbose = false;
  /** Whether what is on the screen is of before: the next round may clear it. */
  #isOver = false;

  constructor(options: TextFaceOptions) {
    this.#options = options;
  }

  tell(event: DevEvent): void {
    this.#state = nextState(this.#state, event);
    // Versions are counted anew in another process.
    if (event.type === 'app-started') this.#hazards.clear();
    this.#keepTime(event);
    this.#clearFor(event);
    const style = this.#style();
    const isNew = (hazard: string): boolean => this.#isNew(hazard);
    this.print(linesOf(event, { state: this.#state, timings: this.#timings, style, isNew }));
    const { workspace } = this.#options;
    if (workspace !== null && (event.type === 'built' || event.type === 'build-failed'))
      this.print(annotations(event.diagnostics, workspace));
    if (event.type === 'end') this.close();
    else this.#drawStatus();
  }

  output(chunk: string): void {
    this.#options.screen?.print(chunk);
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    const { screen, write } = this.#options;
    if (screen === null) write(text);
    else screen.printLines(text);
  }

  clear(): void {
    this.#options.screen?.clear();
  }

  toggleVerbose(): boolean {
    this.#isVerbose = !this.#isVerbose;
    return this.#isVerbose;
  }

  resized(): void {
    this.#drawStatus();
  }

  close(): void {
    this.#options.screen?.close();
  }

  #drawStatus(): void {
    const { screen, colors } = this.#options;
    if (screen === null) return;
    const { text, mood } = statusOf(this.#state, screen.statusCells);
    screen.setStatus(text, paintOf(mood, colors));
  }

  #style(): LineStyle {
    const { colors, cwd, screen, hasKeys, restarts } = this.#options;
    return {
      ...{ colors, cwd, hasKeys, restarts, hasStatus: screen !== null, isVerbose: this.#isVerbose },
      columns: screen?.columns ?? COLUMNS,
      rowsMax: screen === null ? Number.POSITIVE_INFINITY : Math.max(1, screen.rows - ROWS_LEFT),
    };
  }

  #keepTime(event: DevEvent): void {
    if (event.type === 'changed') this.#timings.set(event.project, { detect: event.detectMs });
    if (event.type === 'building' && event.reason !== 'change') this.#timings.delete(event.project);
    if (event.type === 'built') {
      const known = Object.keys(event.phasesMs).length > 0 ? event.phasesMs : { build: event.durationMs };
      this.#timings.set(event.project, { ...this.#timings.get(event.project), ...known });
    }
    if (event.type === 'reloading' && event.verb === 'rollback') this.#timings.clear();
    if (event.type === 'idle') this.#timings.clear();
  }

  /** At the beginning of a round, and not again for what else changes in it. */
  #clearFor(event: DevEvent): void {
    if (event.type === 'idle') this.#isOver = true;
    const begins =
      (event.type === 'changed' && !this.#state.isPaused) ||
      event.type === 'building' ||
      event.type === 'restarting';
    if (!begins || !this.#isOver) return;
    this.#isOver = false;
    if (this.#options.clearsScreen) this.clear();
  }

  #isNew(hazard: string): boolean {
    if (this.#hazards.has(hazard)) return false;
    if (this.#hazards.size >= HAZARDS_MAX) this.#hazards.clear();
    this.#hazards.add(hazard);
    return true;
  }
}

function paintOf(mood: Mood, colors: Colors): (text: string) => string {
  const paints: Readonly<Record<Mood, (text: string) => string>> = {
    good: colors.green,
    bad: colors.red,
    busy: colors.cyan,
    paused: colors.magenta,
  };
  return paints[mood];
}
