/** What the register does with each addon. */
import type { OpenOptions } from '../options.ts';

export interface Settings {
  /** Null for an addon that is not to be reloadable. */
  optionsFor(file: string): OpenOptions | null;
}

/** Threads of one app share an image as they do without the register; a watch alone does not keep an app running. */
const DEFAULTS: OpenOptions = { scope: 'process', watch: { persistent: false } };

const IN_DEPENDENCIES = /[\\/]node_modules[\\/]/;

export function readSettings(_folder: string, _env: NodeJS.ProcessEnv): Settings {
  return { optionsFor: (file) => (IN_DEPENDENCIES.test(file) ? null : DEFAULTS) };
}
