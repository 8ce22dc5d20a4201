// From the save of a file that includes napi.h to live code, by each builder that napi-reload knows, beside the builder alone.
// Ways take turns, each in a project of its own; what napi-reload watches is in a process of its own.
import assert from 'node:assert/strict';
import path from 'node:path';
import { makeProject, save } from '../builders/projects.mjs';
import { stepsIn } from '../builders/tools.mjs';
import { absenceOf, programVersions, WAYS } from '../builders/ways.mjs';
import { takeRounds, withChildren } from '../measure/child.mjs';
import { inScratch } from '../measure/scratch.mjs';
import { ratios, spread } from '../measure/statistics.mjs';

const ROUNDS = 7;

/** @typedef {import('../builders/ways.mjs').Way} Way */
/** @typedef {import('../builders/ways.mjs').Steps} Steps */
/** @typedef {import('../measure/statistics.mjs').Figure} Figure */
/** @typedef {Record<string, number[]>} Times in ms, by the way, round by round */
/** @typedef {{ editMs: number, sameMs?: number }} Edited */
/** @typedef {(number: number) => Promise<Edited>} Edit */

/** @param {{ short: boolean }} how @returns {Promise<import('../measure/statistics.mjs').Results>} */
export async function measure({ short }) {
  const versions = programVersions();
  const reasons = Object.entries(WAYS).map(([name, way]) => [name, absenceOf(way, versions, short)]);
  const absent = Object.fromEntries(reasons.filter(([, why]) => why !== null));
  const present = Object.entries(WAYS).filter(([name]) => absent[name] === undefined);
  const { edit, same } = await measureEdits(present, short ? 1 : ROUNDS);
  const rows = present.map(([name, { beside = '' }]) => [
    name,
    figuresOf(edit[name] ?? [], edit[beside], same[name] ?? []),
  ]);
  return {
    versions,
    subjects: {
      builders: {
        title:
          'From the save of a file that includes napi.h to live code, or to the end of the builder alone',
        along: 'way',
        columns: {
          edit: { title: 'an edit, to its end', unit: 'ms' },
          times: { title: 'times the builder alone', unit: 'times' },
          more: { title: 'more than the builder alone', unit: 'ms' },
          same: { title: 'a save of the same bytes, until it is found unchanged', unit: 'ms' },
        },
        rows: Object.fromEntries(rows),
        draws: ['edit'],
        absent,
      },
    },
  };
}

/**
 * @param {readonly number[]} edit @param {readonly number[] | undefined} beside of the same rounds, by the builder alone
 * @param {readonly number[]} same @returns {Record<string, Figure>}
 */
function figuresOf(edit, beside, same) {
  const compared =
    beside === undefined
      ? {}
      : {
          times: ratios(edit, beside),
          more: spread(edit.map((ms, round) => ms - (beside[round] ?? Number.NaN))),
        };
  return { edit: spread(edit), ...compared, ...(same.length > 0 && { same: spread(same) }) };
}

/** @param {readonly [string, Way][]} ways @param {number} rounds @returns {Promise<{ edit: Times, same: Times }>} */
function measureEdits(ways, rounds) {
  return inScratch((scratch) => {
    const env = isolatedIn(scratch);
    const steps = stepsIn(env);
    const projects = new Map(
      ways.map(([name, way]) => [name, prepare(way, newFolder(scratch, name), steps)]),
    );
    const folderOf = (/** @type {string} */ name) => projects.get(name) ?? '';
    const wanted = ways.flatMap(([name, way]) =>
      'build' in way
        ? [[name, { script: 'edits', settings: { project: folderOf(name), build: way.build } }]]
        : [],
    );
    const measureAll = (/** @type {(name: string) => import('../measure/child.mjs').Child} */ childOf) => {
      const edits = ways.map(([name, way]) => [
        name,
        'alone' in way ? editAlone(way, folderOf(name), steps) : editOf(childOf(name)),
      ]);
      return takeTurns(Object.fromEntries(edits), rounds);
    };
    return withChildren(Object.fromEntries(wanted), measureAll, env);
  });
}

/** Neither the precompiled headers nor the objects of ccache that others have left. @param {string} scratch @returns {NodeJS.ProcessEnv} */
function isolatedIn(scratch) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CCACHE_')));
  // Without the name of a folder ccache would take the one in the home folder, where there is one.
  return { ...env, XDG_CACHE_HOME: path.join(scratch, 'cache'), CCACHE_DIR: path.join(scratch, 'ccache') };
}

/** @param {string} scratch @param {string} name of a way */
const newFolder = (scratch, name) => path.join(scratch, name.replaceAll('+', 'plus').replaceAll(/\W+/g, '-'));

/** @param {Way} way @param {string} folder @param {Steps} steps @returns the folder, with what has been built once */
function prepare({ description, first }, folder, steps) {
  makeProject(folder, description);
  if (first !== undefined) steps[first](folder);
  return folder;
}

/** @param {Extract<Way, { alone: keyof Steps }>} way @param {string} folder @param {Steps} steps @returns {Edit} */
function editAlone({ alone, restarts = false }, folder, steps) {
  return async (number) => {
    const startMs = performance.now();
    save(folder, number);
    steps[alone](folder);
    if (restarts) assert.equal(steps.restart(folder), String(number));
    const editMs = performance.now() - startMs;
    assert.equal(steps.restart(folder), String(number));
    return { editMs };
  };
}

/** @param {import('../measure/child.mjs').Child} child @returns {Edit} */
function editOf(child) {
  return async (number) => ({
    editMs: Number(await child.turn('edit', number)),
    sameMs: Number(await child.turn('same', number)),
  });
}

/** @param {Record<string, Edit>} edits @param {number} rounds after one that is not counted: it makes the headers of the fast lane */
async function takeTurns(edits, rounds) {
  let number = 0;
  const taken = await takeRounds(Object.keys(edits), { warmUp: 1, rounds }, async (name) => {
    // A number that nobody has compiled: there is nothing to find in a cache.
    number += 1;
    return /** @type {Promise<Edited>} */ (edits[name]?.(number));
  });
  /** @param {keyof Edited} what @returns {Times} */
  const timesOf = (what) =>
    Object.fromEntries(
      Object.entries(taken).map(([name, all]) => [name, all.flatMap((one) => one[what] ?? [])]),
    );
  return { edit: timesOf('editMs'), same: timesOf('sameMs') };
}
