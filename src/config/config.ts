/** What a configuration may say. */
import type { OpenOptions } from '../options.ts';

type AddonOption =
  | 'migrate'
  | 'verify'
  | 'history'
  | 'reclaim'
  | 'rehearse'
  | 'host'
  | 'scope'
  | 'drainTimeoutMs'
  | 'hookTimeoutMs'
  | 'buildTimeoutMs'
  | 'integrity'
  | 'stageDir';

/** The options of `open()` that a configuration gives: those that leave exports what they are, called without a promise. */
export type AddonConfig = Pick<OpenOptions, AddonOption>;

/** Of some addons only; besides what all addons may have, who builds them and what is watched. */
export type AddonEntry = AddonConfig & Pick<OpenOptions, 'build' | 'watch'>;

/** What `napi-reload dev` is told on its command line otherwise. */
export interface DevConfig {
  /** The program: a file that Node.js runs. Not with `exec`. */
  readonly script?: string;
  /** A command line for a shell that starts the program. */
  readonly exec?: string;
  /** Arguments of the program. @defaultValue none */
  readonly args?: readonly string[];
  /** Options of Node.js for it. @defaultValue none */
  readonly nodeArgs?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Clear the screen when something is built. @defaultValue true */
  readonly clearScreen?: boolean;
  /** What to do with a version that cannot be swapped in place: restart the program, or say so. @defaultValue 'none' */
  readonly fallback?: 'restart' | 'none';
  /** Print events as lines of JSON. @defaultValue false */
  readonly json?: boolean;
  /** Silence after the last change before a build starts. @defaultValue what `watch` says */
  readonly delayMs?: number;
  /** Look at the files as often as that, where the system cannot tell of changes. @defaultValue none */
  readonly pollMs?: number;
}

/**
 * A configuration: `napi-reload.config.{ts,mts,mjs,js,cjs,json}`, or `napiReload` in package.json. All of it is optional.
 * Paths and globs are relative to its folder.
 */
export interface Config {
  /** Of a JSON file: where its schema is, for editors. */
  readonly $schema?: string;
  /** Globs of the `.node` files that can be reloaded. @defaultValue all */
  readonly include?: readonly string[];
  /**
   * Globs of those that cannot, also where `include` has them. A file that `addons` names by its path can always be.
   *
   * @defaultValue ['**\/node_modules/**']
   */
  readonly exclude?: readonly string[];
  /** Who builds addons. @defaultValue what takes the configuration decides */
  readonly build?: OpenOptions['build'];
  /** Whether, and how, sources are watched. @defaultValue what takes the configuration decides */
  readonly watch?: OpenOptions['watch'];
  /** For all addons. */
  readonly options?: AddonConfig;
  /**
   * For some, by their path, or by a glob of it. What a path says goes before what a glob says, and among globs goes the one
   * with more letters that stand for themselves; of equals the last.
   */
  readonly addons?: Readonly<Record<string, AddonEntry>>;
  /** For `napi-reload dev`. */
  readonly dev?: DevConfig;
}

/**
 * Gives a configuration in TypeScript or JavaScript its type. It does nothing else.
 *
 * @example
 * ```ts
 * export default defineConfig({
 *   build: 'node-gyp',
 *   addons: { 'build/Release/kernel.node': { migrate: { 1: (state: object) => ({ ...state, variance: 0 }) } } },
 * });
 * ```
 */
export function defineConfig(config: Config): Config {
  return config;
}
