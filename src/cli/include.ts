/** `napi-reload include`: where the headers are. */
import { include, include_dir } from '../headers.ts';
import { type Command, command } from './command.ts';

export const includeCommand: Command = command({
  name: 'include',
  summary: 'print the folder of napi_reload.hpp and napi_reload.h, for include_dirs of binding.gyp',
  operands: [],
  options: {
    absolute: { type: 'boolean', summary: 'print the whole path, not the one from the current folder' },
  },
  examples: [
    { line: 'napi-reload include', summary: 'for include_dirs of a binding.gyp, between <!@( and )' },
    {
      line: 'c++ -I "$(npx napi-reload include --absolute)" -fsyntax-only src/kernel.cc',
      summary: 'for a compiler that runs in another folder',
    },
  ],
  exits: [['0', 'printed']],
  run({ options, terminal }) {
    terminal.out(options.absolute === true ? include : include_dir);
    return 0;
  },
});
