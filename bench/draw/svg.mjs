// Charts as SVG, without a library: dots with their spread, and lines over a number that grows. In a page of its own colours
// (`--text`, `--soft`, `--line`, `--back`) a chart takes those, elsewhere those of the reader's colour scheme.
import { show, showBytes, showIn } from './tables.mjs';

/** @typedef {import('../measure/statistics.mjs').Figure} Figure */
/** @typedef {{ name: string, figures: readonly (Figure | undefined)[] }} Row a figure for each series */
/** @typedef {{ title: string, unit: import('../measure/statistics.mjs').Unit, series: readonly string[], rows: readonly Row[], ours: RegExp }} Dots */
/** @typedef {{ at: number, figure: Figure }} Point */
/** @typedef {{ title: string, unit: import('../measure/statistics.mjs').Unit, along: string, grows: 'count' | 'bytes', lines: readonly { name: string, points: readonly Point[] }[] }} Lines */

const WIDTH = 760;
const MARGIN = 24;
const LABELS_WIDTH = 270;
const VALUE_WIDTH = 90;
const TITLE_HEIGHT = 44;
const LEGEND_HEIGHT = 22;
const ROW_HEIGHT = 26;
const SERIES_HEIGHT = 14;
const AXIS_HEIGHT = 40;
const PLOT_HEIGHT = 280;
/** Room for the values at the left of a plot of lines. */
const AXIS_WIDTH = 76;
/** What is at 0 has no place on a logarithmic scale, and gets one of its own before it. */
const ZERO_WIDTH = 50;
/** On a linear scale what is so many times smaller could not be told from nothing. */
const LINEAR_MAX = 8;
/** Told apart with any colour vision (Okabe and Ito, 2008). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const OTHERS = '#8b95a5';

const STYLE = `<style>
.chart-back{fill:var(--back,#fff)}.chart-text{fill:var(--text,#1d2330)}.chart-soft{fill:var(--soft,#5a6475)}.chart-line{stroke:var(--line,#dde1e8)}
@media (prefers-color-scheme:dark){.chart-back{fill:var(--back,#14171d)}.chart-text{fill:var(--text,#dfe3ea)}.chart-soft{fill:var(--soft,#98a2b3)}.chart-line{stroke:var(--line,#2d333f)}}
</style>`;

/** @param {string} text */
const quoted = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
/** @param {number} value */
const place = (value) => Number(value.toFixed(1));
/** @param {import('../measure/statistics.mjs').Unit} unit @param {number} value */
const label = (unit, value) => showIn(value, unit);

/**
 * @typedef {{ of(value: number): number, ticks: readonly number[] }} Scale places from 0 on
 */

/** @param {readonly number[]} values all positive @param {number} length @returns {Scale} */
function logarithmic(values, length) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const low = Math.log10(least) - 0.1;
  const high = Math.log10(most) + 0.1;
  const decades = high - low;
  const steps = decades > 3 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: Math.ceil(decades) + 2 }, (_, at) => 10 ** (Math.floor(low) + at))
    .flatMap((decade) => steps.map((step) => decade * step))
    .filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high);
  return { of: (value) => place(((Math.log10(value) - low) / decades) * length), ticks };
}

/** From 0, or from the least where that is below 0. @param {readonly number[]} values @param {number} length @returns {Scale} */
function linear(values, length) {
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const about = (most - least || 1) / 5;
  const decade = 10 ** Math.floor(Math.log10(about));
  const step = ([1, 2, 5, 10].find((times) => times * decade >= about) ?? 10) * decade;
  const [low, high] = [Math.floor(least / step) * step, Math.ceil(most / step) * step || step];
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, at) => low + at * step);
  return { of: (value) => place(((value - low) / (high - low)) * length), ticks };
}

/** @param {readonly number[]} values @param {number} length @returns {Scale} */
function scaleOf(values, length) {
  const isLogarithmic = Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) > LINEAR_MAX;
  return isLogarithmic ? logarithmic(values, length) : linear(values, length);
}

/** @param {string} title @param {number} height @param {readonly string[]} parts */
function frame(title, height, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" aria-label="${quoted(title)}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">`,
    STYLE,
    `<rect class="chart-back" width="${WIDTH}" height="${height}"/>`,
    `<text class="chart-text" x="${MARGIN}" y="26" font-size="15" font-weight="600">${quoted(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** @param {readonly string[]} names */
function legend(names) {
  if (names.length < 2) return [];
  let x = MARGIN;
  return names.map((name, at) => {
    const drawn = `<circle cx="${x + 5}" cy="${TITLE_HEIGHT + 4}" r="5" fill="${COLOURS[at % COLOURS.length]}"/><text class="chart-text" x="${x + 16}" y="${TITLE_HEIGHT + 8}">${quoted(name)}</text>`;
    x += 36 + name.length * 6.2;
    return drawn;
  });
}

/** @param {readonly (Figure | undefined)[]} figures */
const extent = (figures) =>
  figures.flatMap((figure) => (figure ? [figure.median, figure.p10, figure.p90] : []));

/** @param {Dots} chart @returns {string} */
export function drawDots({ title, unit, series, rows, ours }) {
  const left = MARGIN + LABELS_WIDTH;
  const scale = scaleOf(extent(rows.flatMap(({ figures }) => figures)), WIDTH - left - MARGIN - VALUE_WIDTH);
  const top = TITLE_HEIGHT + (series.length > 1 ? LEGEND_HEIGHT : 0);
  const rowHeight = Math.max(ROW_HEIGHT, series.length * SERIES_HEIGHT + 8);
  const bottom = top + rows.length * rowHeight;
  const grid = scale.ticks.map((tick) => {
    const x = place(left + scale.of(tick));
    return `<path class="chart-line" d="M${x} ${top}V${bottom}"/><text class="chart-soft" x="${x}" y="${bottom + 18}" text-anchor="middle">${label(unit, tick)}</text>`;
  });
  const drawn = rows.flatMap(({ name, figures }, row) => {
    const middle = top + row * rowHeight + rowHeight / 2;
    const first = middle - ((series.length - 1) * SERIES_HEIGHT) / 2;
    return [
      `<text class="chart-text" x="${left - 12}" y="${middle + 4}" text-anchor="end">${quoted(name)}</text>`,
      ...figures.map((figure, at) => {
        if (figure === undefined) return '';
        const alone = ours.test(name) ? COLOURS[0] : OTHERS;
        const colour = series.length > 1 ? COLOURS[at % COLOURS.length] : alone;
        const y = place(first + at * SERIES_HEIGHT);
        const [low, dot, high] = [figure.p10, figure.median, figure.p90].map((value) =>
          place(left + scale.of(value)),
        );
        return `<path d="M${low} ${y}H${high}" stroke="${colour}" stroke-width="3" stroke-opacity=".45"/><circle cx="${dot}" cy="${y}" r="4.5" fill="${colour}"/><text class="chart-text" x="${Math.max(dot ?? 0, high ?? 0) + 10}" y="${y + 4}">${label(unit, figure.median)}</text>`;
      }),
    ];
  });
  return frame(title, bottom + AXIS_HEIGHT - 10, [...legend(series), ...grid, ...drawn]);
}

/** @param {readonly number[]} values @param {number} length @returns {Scale} */
function growing(values, length) {
  const positive = [...new Set(values.filter((value) => value > 0))].sort((a, b) => a - b);
  const start = values.includes(0) ? ZERO_WIDTH : 0;
  const scale = logarithmic(positive, length - start);
  return {
    of: (value) => (value > 0 ? start + scale.of(value) : 0),
    ticks: [...(start > 0 ? [0] : []), ...positive],
  };
}

/** Those that have room beside each other. @param {Scale} scale @param {number} room */
function apart({ of, ticks }, room) {
  /** @type {number[]} */
  const kept = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    if (last === undefined || of(tick) - of(last) >= room) kept.push(tick);
  }
  return kept;
}

/** @param {Lines} chart @returns {string} */
export function drawLines({ title, unit, along, grows, lines }) {
  const all = lines.flatMap(({ points }) => points);
  const left = MARGIN + AXIS_WIDTH;
  const plotWidth = WIDTH - left - MARGIN - 40;
  const xs = growing(
    all.map(({ at }) => at),
    plotWidth,
  );
  const ys = scaleOf(extent(all.map(({ figure }) => figure)), PLOT_HEIGHT);
  const top = TITLE_HEIGHT + LEGEND_HEIGHT + 10;
  const bottom = top + PLOT_HEIGHT;
  const grid = [
    ...ys.ticks.map((tick) => {
      const y = place(bottom - ys.of(tick));
      return `<path class="chart-line" d="M${left} ${y}H${left + plotWidth}"/><text class="chart-soft" x="${left - 8}" y="${y + 4}" text-anchor="end">${label(unit, tick)}</text>`;
    }),
    ...apart(xs, 56).map((tick) => {
      const x = place(left + xs.of(tick));
      const text = grows === 'bytes' ? showBytes(tick) : show(tick);
      return `<path class="chart-line" d="M${x} ${bottom}v5"/><text class="chart-soft" x="${x}" y="${bottom + 20}" text-anchor="middle">${text}</text>`;
    }),
    `<text class="chart-soft" x="${left + plotWidth / 2}" y="${bottom + 40}" text-anchor="middle">${quoted(along)}</text>`,
  ];
  const drawn = lines.flatMap(({ points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const at = points.map(({ at: x, figure }) => ({
      x: place(left + xs.of(x)),
      y: place(bottom - ys.of(figure.median)),
      low: place(bottom - ys.of(figure.p10)),
      high: place(bottom - ys.of(figure.p90)),
    }));
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${at.map(({ x, y }) => `${x},${y}`).join(' ')}"/>`,
      ...at.map(
        ({ x, y, low, high }) =>
          `<path d="M${x} ${low}V${high}" stroke="${colour}" stroke-width="3" stroke-opacity=".45"/><circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`,
      ),
    ];
  });
  return frame(title, bottom + AXIS_HEIGHT + 12, [
    ...legend(lines.map(({ name }) => name)),
    ...grid,
    ...drawn,
  ]);
}
