/** What a person sees: lines, one line of status below them, and compiler messages with their code. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import pc from 'picocolors';

const WIDTH_MAX = 100;
/** Sentences leave room for an indent. */
const WRAP_COLUMNS = 94;
/** Lines of code before and after the one that a message is about. */
const FRAME_CONTEXT_LINES = 1;

/**
 * Writes to `stream`. Where it is no terminal there is no status line and no colour.
 *
 * @param {NodeJS.WriteStream} stream
 */
export function createTerminal(stream) {
  const { NO_COLOR, TERM } = process.env;
  const live = stream.isTTY === true && TERM !== 'dumb';
  const colors = pc.createColors(live && !NO_COLOR);
  let status = '';
  const show = (text) => {
    if (!live || text === status) return;
    status = text;
    stream.write(`\r\x1b[2K${text.slice(0, Math.min(stream.columns ?? WIDTH_MAX, WIDTH_MAX) - 1)}`);
  };
  return {
    colors,
    live,
    /** Writes whole lines above the status. */
    print(...lines) {
      const below = status;
      show('');
      for (const line of lines) stream.write(`${line}\n`);
      show(below);
    },
    /** Replaces the status line; an empty one goes away. Plain text, cut to the width. */
    status: show,
  };
}

/** `1234567` as `1,234,567`. */
export function formatCount(count) {
  return count.toLocaleString('en-US');
}

/** Milliseconds with as many digits as mean something. */
export function formatMs(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(2)} ms`;
}

/** Stages in their order, each with its time, as lines. */
export function formatPhases(phasesMs) {
  const items = Object.entries(phasesMs).map(([phase, ms]) => `${phase} ${formatMs(ms)}`);
  return pack(items, ' · ');
}

/** Figures of a summary on one line; those that `before` did not have are marked. */
export function formatFigures(figures, colors, before = figures) {
  return Object.entries(figures)
    .map(([name, value]) => {
      const text = `${name} ${Number.isInteger(value) ? formatCount(value) : value.toFixed(2)}`;
      return name in before ? text : colors.green(text);
    })
    .join('  ');
}

/**
 * A refusal as lines: its code, its sentence and, where a compiler spoke, its first error with the code around it.
 *
 * @param {import('napi-reload').ReloadError} error
 * @param {string} root folder that paths are shown relative to
 */
export function formatFailure(error, root, colors) {
  const diagnostics = error.details.diagnostics ?? [];
  const first = diagnostics.find(({ severity }) => severity.endsWith('error'));
  if (first === undefined) return [colors.red(error.code), ...wrap(error.message)];
  const where = `${path.relative(root, first.file)}:${first.line}:${first.column}`;
  return [
    `${colors.red(error.code)}  the build ended with exit code ${error.details.exitCode}`,
    `${colors.bold(where)}: ${colors.red(first.severity)}: ${first.text}`,
    ...codeFrame(first, colors),
  ];
}

function wrap(text) {
  return pack(text.split(/\s+/), ' ');
}

/** Joins items to lines that fit; never breaks inside an item. */
function pack(items, separator) {
  const lines = [];
  for (const item of items) {
    const line = lines.at(-1);
    const longer = `${line}${separator}${item}`;
    if (line === undefined || longer.length > WRAP_COLUMNS) lines.push(item);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function codeFrame({ file, line, column }, colors) {
  let source;
  try {
    source = readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
  const from = Math.max(1, line - FRAME_CONTEXT_LINES);
  const to = Math.min(source.length, line + FRAME_CONTEXT_LINES);
  const width = String(to).length;
  const frame = [];
  for (let number = from; number <= to; number += 1) {
    const text = source[number - 1].replaceAll('\t', ' ');
    const mark = number === line ? colors.red('>') : ' ';
    frame.push(`${mark} ${colors.dim(`${String(number).padStart(width)} |`)} ${text}`.trimEnd());
    if (number === line && column > 0) {
      frame.push(`  ${' '.repeat(width)} ${colors.dim('|')} ${' '.repeat(column - 1)}${colors.red('^')}`);
    }
  }
  return frame;
}
