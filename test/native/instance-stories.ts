/**
 * Stories of live instances that move to a new version, each in a process of its own. The addons print how many native
 * objects they made and destroyed when they are unmapped, so that each destructor is known to have run once.
 */
import { expect } from 'vitest';
import path from 'node:path';
import { compileAddon, createScratch, FIXTURES } from '../support/addons.ts';
import { cxxObject } from '../support/cxx.ts';
import { type Plan, traceOf } from './trace.ts';

const FOLDER = path.join(FIXTURES, 'instances');

/** @param options those of `options.h`, such as `bare` or `schema=2` */
export function version(number: number, ...options: readonly string[]): string {
  const set = [`version=${number}`, ...options].map((each) => `.${each.includes('=') ? each : `${each}=1`}`);
  const sources = [path.join(FOLDER, 'options.c'), cxxObject('instances/counter.cc')];
  return compileAddon(sources, [`-DOPTIONS=${set.join()}`, '-fvisibility=hidden', '-lstdc++']);
}
export const v1 = (...options: string[]): string => version(1, ...options);
export const v2 = (...options: string[]): string => version(2, ...options);

/** Says of each instance what runs in it, its value, and its own properties. */
const TOOLS = `
  const sayAll = (...all) => all.forEach((each) =>
    say(['v' + each.version(), each.value, ...Object.keys(each).map((key) => key + '=' + each[key])].join(' ')));
  const counts = ({ instances, retired }) => say(JSON.stringify(instances) + ' ' + retired.outcome
    + (retired.pins ?? []).map(({ kind, count }) => ' ' + kind + ' ' + count).join(''));
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--expose-gc');
  const collect = (await import('node:vm')).runInNewContext('gc');
  /** Finalizers run from the event loop. */
  const collectUntil = async (isDone) => {
    for (let turn = 0; turn < 1_000 && !isDone(); turn++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const tryReload = async (addon) => {
    try { counts(await addon.reload()); } catch (error) { say(reasonOf(error) + ': ' + error.message.split(': ').pop()); }
  };
`;

interface Story {
  readonly script: string;
  readonly builds: Plan['builds'];
  readonly options?: Plan['options'];
}

export async function tell({ script, builds, options = {} }: Story): Promise<readonly string[]> {
  using scratch = createScratch();
  const body = `${TOOLS} install('v1'); const addon = await openAddon(); ${script} await close(addon);`;
  const { trace, errors, exitCode, signal } = await traceOf(scratch, body, { builds, options });
  expect({ errors, exitCode, signal }).toEqual({ errors: '', exitCode: 0, signal: null });
  return trace.filter((line) => line !== 'opened');
}
