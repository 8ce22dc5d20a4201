/** A configuration, checked and filled in. */
import path from 'node:path';
import { errors, isReloadError } from '../errors.ts';
import { asRecord, invalid, onlyKeys, strings, text } from '../option-checks.ts';
import type { OpenOptions } from '../options.ts';
import type { AddonConfig, AddonEntry, Config } from './config.ts';
import { compileExclude, compileGlob, type Glob } from './globs.ts';
import { type ResolvedDev, resolveDev } from './resolve-dev.ts';
import { resolveEntry } from './resolve-entry.ts';

/** Options of some addons. */
export interface ResolvedEntry {
  /** As it was written. */
  readonly key: string;
  /** Absolute path of the one file that it names, if it does not mean others as a glob. */
  readonly path: string;
  /** `key` as a glob. */
  readonly glob: Glob;
  /** What it says of them. */
  readonly options: AddonEntry;
}

/** All paths in it are absolute. */
export interface ResolvedConfig {
  /** Null where there is none, and defaults are taken. */
  readonly file: string | null;
  /** The folder of the file; without one, the folder that was looked from. */
  readonly folder: string;
  /** What was given, as it was. */
  readonly given: Config;
  /** Null for all. */
  readonly include: readonly Glob[] | null;
  /** Those that cannot be reloaded, also where `include` has them. */
  readonly exclude: readonly Glob[];
  /** Undefined where nothing is said. */
  readonly build: OpenOptions['build'];
  /** Undefined where nothing is said. */
  readonly watch: OpenOptions['watch'];
  /** For all addons. */
  readonly options: AddonConfig;
  /** In their order. */
  readonly addons: readonly ResolvedEntry[];
  /** For `napi-reload dev`. */
  readonly dev: ResolvedDev;
}

/** Where a configuration was found: its file, and the folder that its paths are relative to. */
export interface ConfigPlace {
  readonly file: string | null;
  readonly folder: string;
}

const KEYS = [
  '$schema',
  'include',
  'exclude',
  'build',
  'watch',
  'options',
  'addons',
  'dev',
] as const satisfies readonly (keyof Config)[];

const OPTION_KEYS: readonly string[] = Object.keys({
  migrate: true,
  verify: true,
  history: true,
  reclaim: true,
  rehearse: true,
  host: true,
  scope: true,
  drainTimeoutMs: true,
  hookTimeoutMs: true,
  buildTimeoutMs: true,
  integrity: true,
  stageDir: true,
} satisfies Record<keyof AddonConfig, true>);

const DEFAULT_EXCLUDE: readonly string[] = ['**/node_modules/**'];

/**
 * @param given what the file holds
 * @throws `ERR_CONFIG_INVALID` at the first thing that cannot be used
 */
export function resolveConfig(given: unknown, { file, folder }: ConfigPlace): ResolvedConfig {
  try {
    return { file, folder, ...resolve(given, folder) };
  } catch (error) {
    if (!isReloadError(error, 'ERR_INVALID_OPTION')) throw error;
    const { option, found, wanted } = error.details;
    throw errors.configInvalid({
      file: file ?? folder,
      option: option === WHOLE ? null : option,
      found,
      wanted,
    });
  }
}

/** What the checks call the configuration itself. */
const WHOLE = 'config';

function resolve(given: unknown, folder: string): Omit<ResolvedConfig, 'file' | 'folder'> {
  const config = asRecord(given, WHOLE);
  onlyKeys('', config, KEYS);
  refuseNull('', config);
  text('$schema', config['$schema']);
  const { include, exclude = DEFAULT_EXCLUDE } = config;
  const { build, watch } = resolveEntry('', { build: config['build'], watch: config['watch'] }, folder, [
    'build',
    'watch',
  ]);
  return {
    given: config as Config,
    include: include === undefined ? null : globs('include', include, folder, compileGlob),
    exclude: globs('exclude', exclude, folder, compileExclude),
    build,
    watch,
    options: resolveEntry('options', config['options'] ?? {}, folder, OPTION_KEYS),
    addons: Object.entries(asRecord(config['addons'] ?? {}, 'addons')).map(([key, entry]) => {
      const name = `addons[${JSON.stringify(key)}]`;
      return {
        key,
        path: path.resolve(folder, key),
        glob: compileGlob(name, key, folder),
        options: resolveEntry(name, entry, folder, [...OPTION_KEYS, 'build', 'watch']),
      };
    }),
    dev: resolveDev(config['dev'] ?? {}, folder),
  };
}

function globs(
  option: string,
  value: unknown,
  folder: string,
  compile: (option: string, value: unknown, folder: string) => Glob,
): readonly Glob[] {
  return strings(option, value).map((pattern, index) => compile(`${option}[${index}]`, pattern, folder));
}

/** Deepest that an option stands: `addons["a"].host.env.NAME`. */
const DEPTH_MAX = 5;

/** JSON has it where JavaScript leaves something out, and some checks take it for that. Here nothing stands for nothing. */
function refuseNull(name: string, value: object, depth = 1): void {
  for (const [key, item] of Object.entries(value)) {
    const whole = Array.isArray(value) ? `${name}[${key}]` : nameWithin(name, key);
    if (item === null) invalid(whole, 'null', 'a value, or that it is left out');
    if (typeof item === 'object' && depth < DEPTH_MAX) refuseNull(whole, item, depth + 1);
  }
}

function nameWithin(name: string, key: string): string {
  if (name === '') return key;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${name}.${key}` : `${name}[${JSON.stringify(key)}]`;
}
