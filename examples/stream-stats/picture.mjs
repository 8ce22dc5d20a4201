/**
 * Makes tour.svg, the picture in the README, from a run of the tour:
 *
 *     node examples/stream-stats/picture.mjs
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const TOUR = fileURLToPath(new URL('tour.mjs', import.meta.url));
const PICTURE = fileURLToPath(new URL('tour.svg', import.meta.url));
/** The tour shows colours on a terminal only, and its output is a pipe here. */
const AS_TERMINAL = 'data:text/javascript,process.stdout.isTTY=true';

const LINES_MAX = 42;
/** Pixels. Monospaced fonts are 0.60 of their size wide; the rest is room for those that are not quite. */
const FONT_SIZE = 14;
const COLUMN_WIDTH = FONT_SIZE * 0.615;
const LINE_HEIGHT = 20;
const PADDING = 22;
const BAR_HEIGHT = 34;

const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const STYLES = `
  text { font: ${FONT_SIZE}px ${FONTS}; fill: #d5dae3; white-space: pre }
  .bold { font-weight: 600; fill: #ffffff }
  .dim { fill: #8089a0 }
  .red { fill: #ff7b86 }
  .green { fill: #7ee2a0 }
  .yellow { fill: #f2cf7a }
`;

/** What a code of "select graphic rendition" does to the style: `[what it sets, to what]`. */
const CODES = new Map([
  ['1', ['weight', 'bold']],
  ['2', ['weight', 'dim']],
  ['22', ['weight', '']],
  ['31', ['color', 'red']],
  ['32', ['color', 'green']],
  ['33', ['color', 'yellow']],
  ['39', ['color', '']],
]);

/**
 * Reads text with terminal sequences as lines of pieces, each with the names of its classes. What was written to a
 * line before it was erased is gone, as on a terminal.
 *
 * @param {string} output
 * @returns {{ text: string, classes: string }[][]}
 */
export function readLines(output) {
  const style = { weight: '', color: '' };
  return output.split('\n').map((line) => {
    const pieces = [];
    const add = (piece) => {
      if (piece !== '') pieces.push({ text: piece, classes: `${style.weight} ${style.color}`.trim() });
    };
    const [first = '', ...rest] = line.replaceAll('\r', '').split('\x1b[');
    add(first);
    for (const part of rest) {
      const [, codes = '', command = '', after = ''] = /^([\d;]*)([A-Za-z])(.*)$/.exec(part) ?? [];
      if (command === 'K') pieces.length = 0;
      if (command === 'm') for (const code of codes.split(';')) apply(style, code);
      add(after);
    }
    return pieces;
  });
}

function apply(style, code) {
  const [part, value] = CODES.get(code) ?? [];
  if (part === undefined) Object.assign(style, { weight: '', color: '' });
  else style[part] = value;
}

/**
 * @param {string} title
 * @param {{ text: string, classes: string }[][]} lines
 * @returns {string} an SVG image of a terminal that shows the lines
 */
export function drawTerminal(title, lines) {
  const columns = Math.max(...lines.map((pieces) => pieces.reduce((sum, { text }) => sum + text.length, 0)));
  const width = Math.ceil(columns * COLUMN_WIDTH + 2 * PADDING);
  const height = BAR_HEIGHT + lines.length * LINE_HEIGHT + 2 * PADDING - (LINE_HEIGHT - FONT_SIZE);
  const dots = [0, 1, 2].map((i) => `<circle cx="${PADDING + 4 + i * 18}" cy="17" r="5" fill="#3a4152"/>`);
  const rows = lines.flatMap((pieces, i) => {
    if (pieces.length === 0) return [];
    const y = BAR_HEIGHT + PADDING + FONT_SIZE - 3 + i * LINE_HEIGHT;
    return [`<text x="${PADDING}" y="${y}" xml:space="preserve">${pieces.map(drawPiece).join('')}</text>`];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLES}</style>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#171a21"/>`,
    `<path d="M0 10a10 10 0 0 1 10-10h${width - 20}a10 10 0 0 1 10 10v${BAR_HEIGHT - 10}H0z" fill="#222732"/>`,
    ...dots,
    `<text class="dim" x="${width / 2}" y="22" text-anchor="middle">${escapeXml(title)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function drawPiece({ text, classes }) {
  return classes === '' ? escapeXml(text) : `<tspan class="${classes}">${escapeXml(text)}</tspan>`;
}

function escapeXml(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

async function runTour() {
  const { NO_COLOR: _, ...env } = { ...process.env, TERM: 'xterm' };
  const tour = spawn(process.execPath, ['--import', AS_TERMINAL, TOUR], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(tour, 'exit');
  const output = await text(tour.stdout);
  const [exitCode] = await ended;
  if (exitCode !== 0) throw new Error(`The tour ended with exit code ${exitCode}`);
  return output;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lines = readLines((await runTour()).trimEnd());
  if (lines.length > LINES_MAX) throw new Error(`The tour shows ${lines.length} lines, wanted ${LINES_MAX}`);
  writeFileSync(PICTURE, drawTerminal('npm start', lines));
}
