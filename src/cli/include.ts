/** `napi-reload include`: where the headers are. */
import { include, include_dir } from '../headers.ts';
import type { Command } from './command.ts';

export const includeCommand: Command = {
  name: 'include',
  summary: 'print the folder of napi_reload.hpp and napi_reload.h, for include_dirs of binding.gyp',
  operands: [],
  options: {
    absolute: { type: 'boolean', summary: 'print the whole path, not the one from the current folder' },
  },
  run({ options, terminal }) {
    terminal.out(options['absolute'] === true ? include : include_dir);
    return 0;
  },
};
