/** A command in a real terminal, whose screen can be looked at. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import xterm from '@xterm/headless';

const PTY = path.resolve(import.meta.dirname, 'pty.py');
/** Rows above the screen that are kept. */
const SCROLLBACK_ROWS = 2_000;

/** Private mode of terminals (DECTCEM): whether the cursor is shown. */
const CURSOR_MODE = 25;

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalEnd {
  readonly exitCode?: number;
  readonly signal?: number;
}

export class Terminal implements AsyncDisposable {
  readonly pid: Promise<number>;
  readonly end: Promise<TerminalEnd>;
  readonly #child: ChildProcess;
  readonly #screen: InstanceType<typeof xterm.Terminal>;
  readonly #waiting = new Set<() => void>();
  /** All that was written, without sequences. */
  #output = '';
  #ended = false;
  #hidesCursor = false;

  constructor(command: readonly string[], { cwd, env, columns = 160, rows = 30 }: TerminalOptions) {
    this.#screen = new xterm.Terminal({
      cols: columns,
      rows,
      scrollback: SCROLLBACK_ROWS,
      allowProposedApi: true,
    });
    for (const [final, hides] of [
      ['h', false],
      ['l', true],
    ] as const) {
      this.#screen.parser.registerCsiHandler({ prefix: '?', final }, ([mode]) => {
        if (mode === CURSOR_MODE) this.#hidesCursor = hides;
        return false;
      });
    }
    this.#child = spawn('python3', ['-I', PTY, `${columns}`, `${rows}`, ...command], {
      cwd,
      // All of it is the caller's to say: what a CI sets would leave no screen to look at.
      env: { TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    const decoder = new StringDecoder('utf8');
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += stripVTControlCharacters(decoder.write(chunk));
      this.#screen.write(chunk, () => this.#wake());
    });
    const told = createInterface({ input: this.#child.stdio[3] as Readable })[Symbol.asyncIterator]();
    this.pid = told.next().then(({ value }) => (JSON.parse(value) as { pid: number }).pid);
    const drained = new Promise<void>((resolve) => this.#child.stdout?.once('end', resolve));
    this.end = this.pid.then(async () => {
      const { value } = await told.next();
      // The last of what was written comes by another pipe, and is read from it by the screen in a later turn.
      await drained;
      await new Promise<void>((resolve) => this.#screen.write('', resolve));
      this.#ended = true;
      this.#wake();
      return JSON.parse(value) as TerminalEnd;
    });
  }

  /** What is on the screen, row by row, without blanks at the ends of rows and empty rows below. */
  get rows(): readonly string[] {
    const { baseY } = this.#screen.buffer.active;
    return this.#read(baseY, baseY + this.#screen.rows);
  }

  /** The same, and what was scrolled away. */
  get history(): readonly string[] {
    return this.#read(0, this.#screen.buffer.active.length);
  }

  get isCursorHidden(): boolean {
    return this.#hidesCursor;
  }

  /** Colour of the first cell of the row that has the text: the number of a palette, or -1 for the default. */
  colorOf(text: string): number | null {
    const { active } = this.#screen.buffer;
    for (let y = active.length - 1; y >= 0; y--) {
      const line = active.getLine(y);
      const at = line?.translateToString(true).indexOf(text) ?? -1;
      if (at !== -1) return line?.getCell(at)?.getFgColor() ?? null;
    }
    return null;
  }

  type(text: string): void {
    this.#tell({ write: text });
  }

  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    this.#tell({ resize: [columns, rows] });
  }

  /** Resolves when the screen is as wanted. @throws when the command has ended and it is not */
  async until(wanted: (rows: readonly string[]) => boolean): Promise<void> {
    while (!wanted(this.rows)) {
      if (this.#ended) throw new Error(`The command has ended; its screen:\n${this.rows.join('\n')}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves when it was there, however short: what comes after may be written before anybody has looked. */
  async untilOutput(wanted: RegExp): Promise<void> {
    await this.until(() => wanted.test(this.#output));
  }

  /** Resolves when some row has it. */
  untilRow(wanted: RegExp): Promise<void> {
    return this.until((rows) => rows.some((row) => wanted.test(row)));
  }

  /** Resolves when the last row, which is the status, has it. */
  untilStatus(wanted: RegExp): Promise<void> {
    return this.until((rows) => wanted.test(rows.at(-1) ?? ''));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The terminal is closed, and the command told so by SIGHUP.
    this.#child.stdin?.end();
    await this.end;
    this.#screen.dispose();
  }

  #tell(what: object): void {
    (this.#child.stdin as Writable).write(`${JSON.stringify(what)}\n`);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #read(from: number, to: number): readonly string[] {
    const { active } = this.#screen.buffer;
    const rows: string[] = [];
    for (let y = from; y < to; y++) rows.push(active.getLine(y)?.translateToString(true) ?? '');
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }
}
