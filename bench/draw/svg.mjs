// Charts as SVG, without a library: bars with their spread, and lines over a growing size, on logarithmic scales.

const WIDTH = 720;
const LABELS_WIDTH = 230;
const MARGIN = 24;
const TITLE_HEIGHT = 40;
const BAR_HEIGHT = 26;
const PLOT_HEIGHT = 260;
const FONT = 'font-family="ui-sans-serif, system-ui, sans-serif"';
const COLOURS = ['#2563eb', '#9ca3af', '#d97706', '#059669'];
const OURS = /^napi-reload/;

/** @typedef {{ median: number, p10?: number, p90?: number }} Figure */
/** @typedef {{ title: string, unit: string, bars: Record<string, Figure> }} Bars */
/** @typedef {{ title: string, unit: string, along: string, lines: Record<string, readonly (Figure & { at: number })[]> }} Lines */

/** @param {string} text */
const quoted = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
/** @param {number} value */
const place = (value) => Number(value.toFixed(1));
/** @param {number} value */
export const show = (value) =>
  value >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

/** From the power of ten below the least to the one above the most. @param {readonly number[]} values @param {number} length */
function logScale(values, length) {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return {
    of: (/** @type {number} */ value) =>
      place(((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * length),
    ticks: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)),
  };
}

/** @param {string} title @param {number} height @param {readonly string[]} parts */
function frame(title, height, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" role="img" ${FONT} font-size="12">`,
    `<title>${quoted(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="24" font-size="14" font-weight="600" fill="#111827">${quoted(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

/** @param {readonly Figure[]} figures */
const extent = (figures) => figures.flatMap(({ median, p10 = median, p90 = median }) => [median, p10, p90]);

/** @param {Bars} chart @returns {string} */
export function drawBars({ title, unit, bars }) {
  const entries = Object.entries(bars);
  const plotWidth = WIDTH - LABELS_WIDTH - 2 * MARGIN - 70;
  const scale = logScale(extent(Object.values(bars)), plotWidth);
  const height = TITLE_HEIGHT + entries.length * BAR_HEIGHT + MARGIN * 2;
  const bottom = height - MARGIN * 2 + 4;
  const left = MARGIN + LABELS_WIDTH;
  const grid = scale.ticks.map((tick) => {
    const x = place(left + scale.of(tick));
    return `<path d="M${x} ${TITLE_HEIGHT}V${bottom}" stroke="#e5e7eb"/><text x="${x}" y="${bottom + 16}" fill="#6b7280" text-anchor="middle">${show(tick)} ${unit}</text>`;
  });
  const rows = entries.map(([name, { median, p10 = median, p90 = median }], index) => {
    const y = TITLE_HEIGHT + index * BAR_HEIGHT + 4;
    const middle = y + 9;
    const end = left + Math.max(scale.of(median), scale.of(p90));
    const colour = OURS.test(name) ? COLOURS[0] : COLOURS[1];
    return [
      `<text x="${left - 8}" y="${middle + 4}" fill="#111827" text-anchor="end">${quoted(name)}</text>`,
      `<rect x="${left}" y="${y}" width="${Math.max(1, scale.of(median))}" height="18" fill="${colour}"/>`,
      `<path d="M${place(left + scale.of(p10))} ${middle}H${place(left + scale.of(p90))}" stroke="#111827"/>`,
      `<text x="${place(end + 6)}" y="${middle + 4}" fill="#111827">${show(median)} ${unit}</text>`,
    ].join('');
  });
  return frame(title, height, [...grid, ...rows]);
}

/** @param {Lines} chart @returns {string} */
export function drawLines({ title, unit, along, lines }) {
  const all = Object.values(lines).flat();
  const left = MARGIN + 60;
  const plotWidth = WIDTH - left - MARGIN - 40;
  // A logarithmic scale has no 0: what is at 0 is shown at 1.
  const xs = logScale(
    all.map(({ at }) => Math.max(at, 1)),
    plotWidth,
  );
  const ys = logScale(extent(all), PLOT_HEIGHT);
  const top = TITLE_HEIGHT + 10;
  const bottom = top + PLOT_HEIGHT;
  const grid = [
    ...ys.ticks.map((tick) => {
      const y = place(bottom - ys.of(tick));
      return `<path d="M${left} ${y}H${left + plotWidth}" stroke="#e5e7eb"/><text x="${left - 6}" y="${y + 4}" fill="#6b7280" text-anchor="end">${show(tick)} ${unit}</text>`;
    }),
    ...xs.ticks.map((tick) => {
      const x = place(left + xs.of(tick));
      return `<text x="${x}" y="${bottom + 18}" fill="#6b7280" text-anchor="middle">${show(tick)}</text>`;
    }),
    `<text x="${left + plotWidth / 2}" y="${bottom + 36}" fill="#6b7280" text-anchor="middle">${quoted(along)}</text>`,
  ];
  const drawn = Object.entries(lines).flatMap(([name, points], index) => {
    const colour = COLOURS[index % COLOURS.length];
    const at = points.map((point) => ({
      ...point,
      x: place(left + xs.of(Math.max(point.at, 1))),
      y: place(bottom - ys.of(point.median)),
    }));
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${at.map(({ x, y }) => `${x},${y}`).join(' ')}"/>`,
      ...at.map(({ x, y, median, p10 = median, p90 = median }) => {
        const [low, high] = [place(bottom - ys.of(p10)), place(bottom - ys.of(p90))];
        return `<path d="M${x} ${low}V${high}" stroke="${colour}"/><circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`;
      }),
      `<rect x="${left + 10}" y="${top + index * 18}" width="12" height="12" fill="${colour}"/><text x="${left + 28}" y="${top + index * 18 + 10}" fill="#111827">${quoted(name)}</text>`,
    ];
  });
  return frame(title, bottom + 52, [...grid, ...drawn]);
}
