/** Makes the addons of this thread reloadable, once. */
import { loadNative } from '../native.ts';
import { describePlain, replaceDlopen } from './dlopen.ts';
import { followDev } from './follow-dev.ts';
import { reportTo } from './reporter.ts';
import { readSettings } from './settings.ts';

/** Also where the package is there twice. */
const INSTALLED = Symbol.for('napi-reload.register');

/**
 * @throws `ERR_SHIM_UNAVAILABLE`; `ERR_CONFIG_INVALID` and the like of a configuration that cannot be used
 */
export function install(): void {
  const shared = globalThis as { [INSTALLED]?: true };
  if (shared[INSTALLED]) return;
  // Past the register, since it loads nothing yet.
  loadNative();
  const settings = readSettings(process.cwd(), process.env);
  const { devSocket } = settings;
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  replaceDlopen({
    optionsFor: (file) => settings.optionsFor(file),
    onPlain: (file, error) => write(`[napi-reload] ${describePlain(file, error)}`),
    onOpened: (addon, file) => {
      if (devSocket === null) reportTo(write, addon, file);
    },
  });
  if (devSocket !== null) followDev(devSocket);
  shared[INSTALLED] = true;
}
