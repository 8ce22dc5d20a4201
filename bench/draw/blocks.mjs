// Blocks of Markdown that are made of the report. A document has one where it says `<!-- figures: NAME -->`, up to
// `<!-- /figures -->`. So no figure of a document is another one than was measured.
import { tableOf } from './charts.mjs';
import { show } from './svg.mjs';

/** @typedef {import('./charts.mjs').Report} Report */

const NOT_MEASURED = 'It was not measured in this run.';

/** @type {Record<string, (report: Report) => string>} */
const BLOCKS = {
  machine: ({ machine }) =>
    `Measured on ${machine.date}: ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, glibc ${machine.glibc}, Node.js ${machine.node}.`,

  reload: ({ reload }) =>
    [
      tableOf(
        ['way', 'median', 'p10 to p90', 'p99'],
        [
          ['napi-reload, until the new version is live', reload.ours],
          ['napi-reload, with the unload of the old version', reload.whole],
          ['copy and `process.dlopen`', reload.plain],
        ].map(([way, of]) => [
          way,
          `${show(of['median ms'])} ms`,
          `${show(of['p10 ms'])} to ${show(of['p90 ms'])} ms`,
          `${show(of['p99 ms'])} ms`,
        ]),
      ),
      '',
      `Until it is live, that is ${show(reload.ratio)} times the plain way.`,
    ].join('\n'),

  ways: ({ ways }) => {
    const ours = ways.ms['napi-reload'].median;
    return tableOf(
      ['way', 'median', 'p10 to p90', 'times napi-reload', 'mappings left', 'memory left'],
      Object.entries(ways.ms).map(([way, { median, p10, p90 }]) => {
        const left = ways.left[way];
        return [
          way,
          `${show(median)} ms`,
          `${show(p10)} to ${show(p90)} ms`,
          show(median / ours),
          left === undefined ? '' : show(left.mappings),
          left === undefined ? '' : `${show(left.KiB)} KiB`,
        ];
      }),
    );
  },

  calls: ({ calls }) =>
    tableOf(
      ['way', '`add(a, b)`', 'no-op', 'times direct'],
      Object.entries(calls).map(([way, { after }]) => [
        way,
        `${show(after.addNs)} ns`,
        `${show(after.noopNs)} ns`,
        `${show(after.addTimesDirect)} / ${show(after.noopTimesDirect)}`,
      ]),
    ),

  state: ({ memory }) =>
    tableOf(
      ['bytes of memory that stays', 'median', 'p10 to p90'],
      Object.entries(memory.ms).map(([bytes, { median, p10, p90 }]) => [
        show(Number(bytes)),
        `${show(median)} ms`,
        `${show(p10)} to ${show(p90)} ms`,
      ]),
    ),

  instances: ({ instances }) =>
    tableOf(
      ['live instances', 'switch', 'whole reload', 'for each', 'memory for each'],
      Object.entries(instances).map(([count, of]) => [
        show(Number(count)),
        `${show(of['switch ms'])} ms`,
        `${show(of['whole reload ms'])} ms`,
        `${show(of['µs per instance'])} µs`,
        `${show(of['bytes more per instance'])} bytes`,
      ]),
    ),

  headers: ({ headers }) => {
    const [c, cc] = [headers['napi_reload.h'], headers['napi_reload.hpp']];
    return `An include adds ${show(cc.addedMs)} ms to the ${show(cc.baseMs)} that \`napi.h\` takes g++, and ${show(c.addedMs)} to the ${show(c.baseMs)} of \`node_api.h\`.`;
  },

  builders: ({ builders }) =>
    builders === null
      ? NOT_MEASURED
      : tableOf(
          ['an edit, to its end', 'median', 'p10 to p90'],
          Object.entries(builders.editMs).map(([way, { median, p10, p90 }]) => [
            way,
            `${show(median)} ms`,
            `${show(p10)} to ${show(p90)} ms`,
          ]),
        ),

  hosts: ({ hosts }) =>
    [
      tableOf(
        ['', 'inline', 'Worker', 'process'],
        [
          ['a small call that is awaited', hosts.callUs, 'median µs', 'µs'],
          ['a reload, until live', hosts.reloadMs, 'until live ms', 'ms'],
        ].map(([what, of, key, unit]) => [
          what,
          ...['inline', 'worker', 'process'].map((where) => `${show(of[where][key])} ${unit}`),
        ]),
      ),
      '',
      `A sum over 64 MiB of numbers in a process takes ${show(hosts.arrays['process, allocated']['times inline'])} times as long as inline when they are in memory of \`allocate\`, and ${show(hosts.arrays['process, ordinary']['times inline'])} times when they have to be copied. A rehearsal takes ${show(hosts.rehearseMs.rehearsal)} ms. A Worker takes ${show(hosts.hostMiB.worker)} MiB, a process ${show(hosts.hostMiB.process)}.`,
    ].join('\n'),
};

const BLOCK = /(<!-- figures: (\S+) -->\n)([\s\S]*?)(<!-- \/figures -->)/g;

/** Puts the figures of the report into each block. @param {string} markdown @param {Report} report @returns {string} */
export function fillBlocks(markdown, report) {
  return markdown.replaceAll(BLOCK, (_, begin, name, _old, end) => {
    const block = BLOCKS[name];
    if (block === undefined) {
      throw new Error(
        `there are no figures ${JSON.stringify(name)}; there are ${Object.keys(BLOCKS).join(', ')}`,
      );
    }
    return `${begin}\n${block(report)}\n\n${end}`;
  });
}

/** What is left of a document without its blocks. @param {string} markdown @returns {string} */
export const withoutBlocks = (markdown) => markdown.replaceAll(BLOCK, '');

/** The names of the blocks of a document. @param {string} markdown @returns {string[]} */
export const blocksOf = (markdown) => Array.from(markdown.matchAll(BLOCK), ([, , name = '']) => name);
