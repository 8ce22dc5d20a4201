// What is drawn of a report, and how: one chart and one table for each subject.
import { drawBars, drawLines, show } from './svg.mjs';

/** @typedef {import('./svg.mjs').Figure} Figure */
/** @typedef {any} Report what `npm run bench -- --json FILE` wrote */
/** @typedef {{ id: string, title: string, svg: string, table: string }} Chart */

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
export function tableOf(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** @param {Figure} figure */
const spreadOf = ({ median, p10, p90 }) =>
  p10 === undefined || p90 === undefined ? '' : `${show(p10 ?? median)} to ${show(p90 ?? median)}`;

/** @param {string} id @param {string} title @param {string} unit @param {Record<string, Figure>} bars @returns {Chart} */
function bars(id, title, unit, bars) {
  const rows = Object.entries(bars).map(([name, figure]) => [name, show(figure.median), spreadOf(figure)]);
  const table = tableOf(['', `median, ${unit}`, 'p10 to p90'], rows);
  return { id, title, svg: drawBars({ title, unit, bars }), table };
}

/**
 * @param {string} id @param {string} title @param {string} along
 * @param {Record<string, Record<string, Figure>>} points figures by name, by place
 * @returns {Chart}
 */
function lines(id, title, along, points) {
  /** @type {Record<string, (Figure & { at: number })[]>} */
  const byName = {};
  for (const [at, by] of Object.entries(points)) {
    for (const [name, figure] of Object.entries(by)) {
      byName[name] = [...(byName[name] ?? []), { ...figure, at: Number(at) }];
    }
  }
  const names = Object.keys(byName);
  const rows = Object.entries(points).map(([at, by]) => [
    show(Number(at)),
    ...names.flatMap((name) => {
      const figure = by[name];
      return figure === undefined ? ['', ''] : [show(figure.median), spreadOf(figure)];
    }),
  ]);
  const head = [along, ...names.flatMap((name) => [`${name}, median ms`, 'p10 to p90'])];
  return {
    id,
    title,
    svg: drawLines({ title, unit: 'ms', along, lines: byName }),
    table: tableOf(head, rows),
  };
}

/** @param {Record<string, any>} of @param {(value: any) => number} pick @returns {Record<string, Figure>} */
const medians = (of, pick) =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, { median: pick(value) }]));

/** @param {Record<string, Figure>} of */
const alone = (of) =>
  Object.fromEntries(Object.entries(of).map(([at, figure]) => [at, { 'napi-reload': figure }]));

/** @param {Report} report @returns {readonly Chart[]} */
export function chartsOf({ ways, growth, memory, instances, hosts, calls, builders }) {
  return [
    bars('ways', 'From a built file to the first result of its code', 'ms', ways.ms),
    bars(
      'calls',
      'One call of add(a, b) after ten reloads',
      'ns',
      medians(calls, ({ after }) => after.addNs),
    ),
    bars(
      'hosts',
      'A small call that is awaited',
      'µs',
      medians(hosts.callUs, (figures) => figures['median µs']),
    ),
    lines('image', 'A reload by the size of the image', 'bytes of the image', growth.byBytes),
    lines('functions', 'A reload by the functions that are exported', 'functions', growth.byFunctions),
    lines('pinned', 'A reload by the versions that stay in memory', 'pinned versions', growth.byPinned),
    lines('state', 'A reload by the memory that stays', 'bytes of memory that stays', alone(memory.ms)),
    lines(
      'instances',
      'A reload by the live instances that move',
      'live instances',
      alone(medians(instances, (figures) => figures['whole reload ms'])),
    ),
    ...(builders === null
      ? []
      : [bars('builders', 'From the save of a file that includes napi.h to its end', 'ms', builders.editMs)]),
  ];
}
