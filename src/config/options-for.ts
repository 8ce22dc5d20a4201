/** What a configuration says of one addon. */
import path from 'node:path';
import type { AddonEntry } from './config.ts';
import type { ResolvedConfig } from './resolve.ts';

/** A part of a configuration, by the name that it has there. */
export interface Layer {
  /** Such as `options` or `addons["build/Release/kernel.node"]`; empty for the configuration itself. */
  readonly name: string;
  readonly options: AddonEntry;
}

/**
 * Whether an addon can be reloaded: its path is included and not excluded, or `addons` names it.
 *
 * @param file path of a `.node` file, as Node.js opens it: without symbolic links
 */
export function isIncluded(config: ResolvedConfig, file: string): boolean {
  const wanted = path.resolve(file);
  if (config.addons.some((entry) => entry.path === wanted)) return true;
  if (config.include !== null && !config.include.some((glob) => glob.matches(wanted))) return false;
  return !config.exclude.some((glob) => glob.matches(wanted));
}

/**
 * What `open()` is to be given for an addon.
 *
 * @param file path of its `.node` file, without symbolic links
 * @example
 * ```ts
 * const file = 'build/Release/kernel.node';
 * const kernel = await open(file, optionsFor(loadConfigSync(), file));
 * ```
 */
export function optionsFor(config: ResolvedConfig, file: string): AddonEntry {
  return Object.assign({}, ...layersFor(config, file).map(({ options }) => options));
}

/** @returns the parts that speak of an addon; a later one goes before an earlier one */
export function layersFor(config: ResolvedConfig, file: string): readonly Layer[] {
  const wanted = path.resolve(file);
  const { build, watch, options, addons } = config;
  const own = addons
    .filter((entry) => entry.path === wanted || entry.glob.matches(wanted))
    .toSorted((a, b) => exactness(a, wanted) - exactness(b, wanted));
  return [
    {
      name: '',
      options: { ...(build === undefined ? {} : { build }), ...(watch === undefined ? {} : { watch }) },
    },
    { name: 'options', options },
    ...own.map((entry) => ({ name: `addons[${JSON.stringify(entry.key)}]`, options: entry.options })),
  ];
}

function exactness(entry: ResolvedConfig['addons'][number], wanted: string): number {
  return entry.path === wanted ? Number.MAX_SAFE_INTEGER : entry.glob.literals;
}
