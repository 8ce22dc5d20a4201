// Subjects as charts.
import { drawDots, drawLines } from './svg.mjs';

/** @typedef {import('../measure/statistics.mjs').Subject} Subject */

const OURS = /^napi-reload/;

/** @param {Subject} subject @returns {string | null} SVG; null for one of which a chart says nothing */
export function chartOf({ title, along, grows, columns, rows, draws }) {
  const drawn = draws.flatMap((key) => {
    const column = columns[key];
    return column === undefined ? [] : [{ key, ...column }];
  });
  const [first] = drawn;
  if (first === undefined) return null;
  const units = new Set(drawn.map(({ unit }) => unit));
  if (units.size > 1) throw new Error(`${title}: one chart of ${[...units].join(' and ')}`);
  if (grows === undefined) {
    const figures = Object.entries(rows).map(([name, row]) => ({
      name,
      figures: drawn.map(({ key }) => row[key]),
    }));
    return drawDots({
      title,
      unit: first.unit,
      series: drawn.map((column) => column.title),
      rows: figures.filter(({ figures: of }) => of.some((figure) => figure !== undefined)),
      ours: OURS,
    });
  }
  const lines = drawn.map(({ key, title: name }) => ({
    name,
    points: Object.entries(rows).flatMap(([at, row]) => {
      const figure = row[key];
      return figure === undefined ? [] : [{ at: Number(at), figure }];
    }),
  }));
  return drawLines({ title, unit: first.unit, along, grows, lines });
}
