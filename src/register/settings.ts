/** What the register does with each addon: what the configuration says, for an app that is not to notice. */
import { existsSync } from 'node:fs';
import { loadConfigSync } from '../config/load.ts';
import { isIncluded, optionsFor } from '../config/options-for.ts';
import { LINK_VARIABLE } from '../link/messages.ts';
import type { OpenOptions } from '../options.ts';

export interface Settings {
  /** Where the socket of `napi-reload dev` is, which builds and watches for the app; null without it. */
  readonly devSocket: string | null;
  /** Null for an addon that is not to be reloadable. */
  optionsFor(file: string): OpenOptions | null;
}

/**
 * @param folder where the search for a configuration begins
 * @throws `ERR_CONFIG_INVALID`
 */
export function readSettings(folder: string, env: NodeJS.ProcessEnv): Settings {
  const config = loadConfigSync(folder);
  const given = env[LINK_VARIABLE];
  // Who has inherited the variable of a run that is over builds and watches for itself.
  const devSocket = given && existsSync(given) ? given : null;
  const isLed = devSocket !== null;
  return {
    devSocket,
    optionsFor(file) {
      if (!isIncluded(config, file)) return null;
      const { watch = true, ...wanted } = optionsFor(config, file);
      // Threads of one app share an image as they do without the register.
      const options: OpenOptions = { scope: 'process', ...wanted };
      return isLed ? { ...options, build: false, watch: false } : { ...options, watch: unheld(watch) };
    },
  };
}

/** A watch alone does not keep an app running that would have ended without the register. */
function unheld(watch: NonNullable<OpenOptions['watch']>): NonNullable<OpenOptions['watch']> {
  if (watch === false) return false;
  return { persistent: false, ...(watch === true ? {} : watch) };
}
