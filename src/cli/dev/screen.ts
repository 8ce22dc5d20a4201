/** A terminal whose last row is a status, below all that is printed. */
import { clip, rowsOf } from './cells.ts';

/** What a screen needs of `process.stdout`. */
export interface ScreenStream {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const ERASE_BELOW = '\x1b[J';
const WRAP_OFF = '\x1b[?7l';
const WRAP_ON = '\x1b[?7h';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** Of a terminal that does not say. */
const COLUMNS = 80;
const ROWS = 24;
/** Length of an unfinished line that is still kept to go on with; the rest of a longer one gets a line of its own. */
const UNFINISHED_LENGTH_MAX = 4_096;

/**
 * Rules:
 * 1. Between two calls the status is drawn, and the cursor stands at its beginning: a terminal that got narrower may have
 *    wrapped it or not, and what is to be erased begins there either way.
 * 2. The status is drawn in no more than a row.
 * 3. A line that has not ended yet stands above the status, and goes on where it stopped.
 */
export class Screen {
  readonly #stream: ScreenStream;
  /** As it is drawn now. */
  #status = '';
  /** Of what was printed last, without a line break. */
  #unfinished = '';

  #hidesCursor = false;

  constructor(stream: ScreenStream) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns || COLUMNS;
  }

  /** Cells that the status may take: in the last one some terminals wrap. */
  get statusCells(): number {
    return this.columns - 1;
  }

  get rows(): number {
    return this.#stream.rows || ROWS;
  }

  /** Prints as it is, above the status; the text need not end with a line break. */
  print(text: string): void {
    if (text === '') return;
    const whole = this.#unfinished + text.replace(/\r\n/g, '\n');
    const end = whole.lastIndexOf('\n');
    const erase = this.#eraseAll();
    this.#unfinished = whole.slice(end + 1);
    if (this.#unfinished.length > UNFINISHED_LENGTH_MAX) {
      this.#stream.write(`${erase}${whole}\n${this.#draw()}`);
      this.#unfinished = '';
      return;
    }
    this.#stream.write(`${erase}${whole}${this.#unfinished === '' ? '' : '\n'}${this.#draw()}`);
  }

  /** Prints whole lines; a line of before that has not ended yet is cut off by them. */
  printLines(text: string): void {
    // It stands on a row of its own already.
    this.#unfinished = '';
    this.print(text);
  }

  /** @param text plain. @param paint gives it colours, once it is as long as a row takes */
  setStatus(text: string, paint: (fitted: string) => string = (fitted) => fitted): void {
    const fitted = clip(text, this.statusCells);
    this.#status = fitted === '' ? '' : paint(fitted);
    this.#stream.write(`${ERASE_BELOW}${this.#draw()}`);
  }

  /** Scrolls what is there out of sight, and goes on at the top. */
  clear(): void {
    this.#unfinished = '';
    this.#stream.write(`${ERASE_BELOW}${'\n'.repeat(this.rows - 1)}\x1b[H${ERASE_BELOW}${this.#draw()}`);
  }

  /** Leaves the terminal as it was; what was printed stays. The next status takes it again. Safe to call twice. */
  close(): void {
    if (this.#status === '' && !this.#hidesCursor) return;
    this.#stream.write(`${ERASE_BELOW}${SHOW_CURSOR}`);
    this.#status = '';
    this.#hidesCursor = false;
  }

  /** Without wrapping: the terminal may have got narrower a moment ago. */
  #draw(): string {
    if (this.#status === '') return '';
    const hide = this.#hidesCursor ? '' : HIDE_CURSOR;
    this.#hidesCursor = true;
    return `${hide}${WRAP_OFF}${this.#status}${WRAP_ON}\r`;
  }

  /** The status, and the unfinished line above it. */
  #eraseAll(): string {
    if (this.#unfinished === '') return ERASE_BELOW;
    const shown = this.#unfinished.slice(this.#unfinished.lastIndexOf('\r') + 1);
    return `\x1b[${rowsOf(shown, this.columns)}A${ERASE_BELOW}`;
  }
}
