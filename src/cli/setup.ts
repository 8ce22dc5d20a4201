/** `napi-reload setup`: makes sure that the native part is there before it is needed. */
import { isReloadError } from '../errors.ts';
import { loadShim } from '../shim/load.ts';
import { type Command, command, EXIT_FAILURE } from './command.ts';

export const setupCommand: Command = command({
  name: 'setup',
  summary: 'compile the native part of napi-reload, unless one that is there fits this system',
  description: [
    'The package has one for Linux with glibc, x64. Elsewhere it is compiled when it is first needed; this does it now, such as while an image of a container is made.',
    'It goes to the folder of the package where that can be written to, else to the folder of the user.',
  ],
  operands: [],
  options: {},
  examples: [{ line: 'napi-reload setup', summary: 'print where it is, and compile it if there is none' }],
  exits: [
    ['0', 'it is there, and loads'],
    [`${EXIT_FAILURE}`, 'it could not be compiled'],
  ],
  environment: [['XDG_CACHE_HOME', 'folder for what cannot be written to the package; ~/.cache by default']],
  run({ terminal }) {
    try {
      terminal.out(loadShim((line) => terminal.error(line)).path);
      return 0;
    } catch (error) {
      const output = isReloadError(error, 'ERR_SHIM_UNAVAILABLE') ? error.details.output : '';
      if (output !== '') terminal.error(output);
      throw error;
    }
  },
});
