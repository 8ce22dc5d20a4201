/** The line of a source that a message of a compiler is about, with a caret under the place. */
import fs from 'node:fs';
import type { Diagnostic } from '../../diagnostic.ts';
import { behind, clip, expandTabs, TAB_CELLS, widthOf } from './cells.ts';

/** Sources above it are not read for a frame. */
const SOURCE_BYTES_MAX = 4 * 2 ** 20;
/** Lines shown before and behind the one that is meant. */
const LINES_AROUND = 1;
/** Cells to the left of the place that are shown of a line which is too long. */
const LEAD_CELLS = 20;

export interface FrameRow {
  /** What stands left of the source, such as `> 12 | `. */
  readonly gutter: string;
  readonly text: string;
  readonly kind: 'source' | 'meant' | 'caret';
}

/**
 * @param widthMax cells of a row
 * @returns nothing where there is no such line, or it cannot be read
 */
export function codeFrame(diagnostic: Diagnostic, widthMax: number): readonly FrameRow[] {
  const lines = readLines(diagnostic.file);
  const meant = lines[diagnostic.line - 1];
  if (meant === undefined) return [];
  const first = Math.max(1, diagnostic.line - LINES_AROUND);
  const last = Math.min(lines.length, diagnostic.line + LINES_AROUND);
  const digits = String(last).length;
  const gutterOf = (label: string, mark: string): string => `${mark} ${label.padStart(digits)} | `;
  const room = Math.max(10, widthMax - gutterOf('', ' ').length);
  const column = diagnostic.column > 0 ? cellsBefore(meant, diagnostic) : null;
  // The same part of each row, so that they stay below each other.
  const from = column !== null && column >= room ? column - LEAD_CELLS : 0;
  const cut = (text: string): string => clip(behind(expandTabs(text), from), room).trimEnd();

  const rows: FrameRow[] = [];
  for (let number = first; number <= last; number++) {
    const text = lines[number - 1] ?? '';
    const isMeant = number === diagnostic.line;
    if (!isMeant && number === last && text.trim() === '') continue;
    rows.push({
      gutter: gutterOf(String(number), isMeant ? '>' : ' '),
      text: cut(text),
      kind: isMeant ? 'meant' : 'source',
    });
    if (isMeant && column !== null) {
      rows.push({ gutter: gutterOf('', ' '), text: `${' '.repeat(column - from)}^`, kind: 'caret' });
    }
  }
  return rows;
}

function readLines(file: string): readonly string[] {
  try {
    if (fs.statSync(file).size > SOURCE_BYTES_MAX) return [];
    return fs.readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}

/**
 * Cells left of the place that is meant. What a column counts depends on the compiler: gcc counts cells, clang and gcc
 * before 11 count bytes. The name that the message quotes tells which, where it stands at one of the two places.
 */
function cellsBefore(line: string, { column, text }: Diagnostic): number {
  const byCells = line.slice(0, lengthOfCells(line, column - 1));
  const byBytes = Buffer.from(line)
    .subarray(0, column - 1)
    .toString('utf8');
  const quoted = /[‘'"`]([^’'"`]+)[’'"`]/.exec(text)?.[1];
  const isBefore = (head: string): boolean => quoted !== undefined && line.startsWith(quoted, head.length);
  // In the locale that builds run in, gcc quotes like ‘this’, clang like 'this'.
  const isClear = isBefore(byCells) !== isBefore(byBytes);
  const head = (isClear ? isBefore(byBytes) : text.includes("'")) ? byBytes : byCells;
  return widthOf(expandTabs(head));
}

/** Takes no cell of its own: a mark on the letter before, or what joins emoji. */
const JOINED = /[\p{M}\p{Cf}]/u;

/** As gcc counts: each character of an emoji that is joined of several has cells of its own. */
function lengthOfCells(line: string, cells: number): number {
  let at = 0;
  let length = 0;
  for (const character of line) {
    if (at >= cells) break;
    if (character === '\t') at += TAB_CELLS - (at % TAB_CELLS);
    else if (!JOINED.test(character)) at += widthOf(character);
    length += character.length;
  }
  return length;
}
