// `npm run bench`: what a reload, a call and what else people come for cost, each beside its plain alternative in the same run.
//
//     npm run bench -- [SECTION...] [--short] [--json [FILE]]
//
// Without names every section runs. `--json` prints one JSON line last, `--json FILE` writes a file instead, after each section,
// so that a failure loses that section only. `--short` takes few rounds, to show that it runs: no figures to publish.
import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './measure/machine.mjs';
import { rowsOf } from './draw/tables.mjs';

/**
 * In this order: what people come for first. Some delete files by the thousand, and for minutes after that ext4 looks at each of
 * their inodes before it makes a file near them (`recently_deleted` in fs/ext4/ialloc.c), which takes it a millisecond. So `calls`,
 * which makes no files, comes after `growth`, and `left` is the last one.
 */
const SECTIONS = [
  'reload',
  'ways',
  'growth',
  'calls',
  'hosts',
  'state',
  'instances',
  'headers',
  'server',
  'builders',
  'left',
];

/** @param {readonly string[]} args */
function parse(args) {
  const options = /** @type {const} */ ({ short: { type: 'boolean' }, json: { type: 'string' } });
  // It may stand alone, in the end or before another option, which parseArgs has no word for.
  const whole = args.flatMap((arg, at) => {
    const next = args[at + 1] ?? '--';
    return arg === '--json' && next.startsWith('--') ? ['--json=-'] : [arg];
  });
  const { values, positionals } = parseArgs({ args: whole, options, allowPositionals: true });
  const unknown = positionals.filter((name) => !SECTIONS.includes(name));
  if (unknown.length > 0)
    throw new Error(`no section ${unknown.join(', ')}; there are ${SECTIONS.join(', ')}`);
  return { ...values, sections: positionals.length > 0 ? positionals : SECTIONS };
}

/** @param {readonly string[]} args @returns {string | null} null where this is no checkout */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname });
  return status === 0 ? stdout.trim() : null;
}

/** @param {string} name @param {boolean} short @returns {Promise<import('./measure/statistics.mjs').Results>} */
async function runSection(name, short) {
  const script = fileURLToPath(new URL('./section.mjs', import.meta.url));
  const child = fork(script, [name, short ? 'short' : 'whole'], { execArgv: ['--expose-gc'] });
  /** @type {import('./measure/statistics.mjs').Results | null} */
  let results = null;
  child.on('message', (message) => {
    results = /** @type {import('./measure/statistics.mjs').Results} */ (message);
  });
  const [code, signal] = await once(child, 'exit');
  if (results === null || code !== 0) throw new Error(`section ${name} ended with ${signal ?? code}`);
  return results;
}

const { sections, short = false, json } = parse(process.argv.slice(2));
const jsonFile = json === '-' ? undefined : json;
const status = git('status', '--porcelain', '--', '.', '../src', '../native');
const report = {
  short,
  commit: git('rev-parse', '--short=12', 'HEAD'),
  isChanged: status !== '',
  machine: describeMachine(),
  /** @type {Record<string, number>} seconds */
  took: {},
  /** @type {Record<string, import('./measure/statistics.mjs').Subject>} */
  subjects: {},
};
console.log(`Node.js ${process.version}, ${process.platform} ${process.arch}${short ? ', few rounds' : ''}`);
for (const name of sections) {
  const startMs = performance.now();
  const { subjects, versions = {} } = await runSection(name, short);
  report.took[name] = Math.round((performance.now() - startMs) / 1000);
  Object.assign(report.subjects, subjects);
  Object.assign(report.machine, versions);
  for (const subject of Object.values(subjects)) {
    console.log(`\n${subject.title}:`);
    console.table(rowsOf(subject));
  }
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify(report, null, 1)}\n`);
}
if (json !== undefined && jsonFile === undefined) console.log(JSON.stringify(report));
