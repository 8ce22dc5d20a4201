/** `napi-reload doctor`: what can be said of an addon without loading it. */
import { diagnose } from '../doctor/diagnose.ts';
import { type Diagnosis, type Hazard, isLoadable } from '../doctor/diagnosis.ts';
import { loadNative } from '../native.ts';
import { type Command, command, EXIT_FAILURE } from './command.ts';
import { printable } from './printable.ts';

const ENTRIES: Readonly<Record<NonNullable<Diagnosis['entry']>, string>> = {
  symbol: 'a Node-API addon, registers by symbol',
  constructor: 'a Node-API addon, registers by constructor',
  v8: 'an addon for the C++ interface of V8',
  none: 'no addon',
};

export const doctorCommand: Command = command({
  name: 'doctor',
  summary: 'tell what is in an addon and whether it will unload, without loading it',
  description: [
    'It reads the file and the libraries that it needs, and runs nothing of them, so that a file from anywhere can be looked at.',
  ],
  operands: [{ name: '<file.node>', summary: 'the built addon', completes: '.node' }],
  options: { json: { type: 'boolean', summary: 'print it as JSON' } },
  examples: [
    {
      line: 'napi-reload doctor build/Release/kernel.node',
      summary: 'what it is, and what may be in the way',
    },
    {
      line: 'napi-reload doctor --json build/Release/kernel.node | jq .reclaim.level',
      summary: 'whether old versions of it will be unloaded',
    },
  ],
  exits: [
    ['0', 'it can be loaded here'],
    ['1', 'it cannot'],
  ],
  run({ options, operands: [file = ''], terminal }) {
    const diagnosis = diagnose(file, loadNative());
    terminal.out(options.json === true ? JSON.stringify(diagnosis) : report(diagnosis));
    return isLoadable(diagnosis) ? 0 : EXIT_FAILURE;
  },
});

function report(diagnosis: Diagnosis): string {
  const { file, needed, hazards } = diagnosis;
  const parts = [
    file,
    `  ${identity(diagnosis)}`,
    ...(needed.length > 0 ? [`  linked to ${needed.join(', ')}`] : []),
    '',
    ...hazards.flatMap(paragraph),
    ...(isLoadable(diagnosis) ? outlook(diagnosis) : ['It cannot be loaded here.']),
  ];
  return parts.map(printable).join('\n');
}

function identity({ arch, entry, apiVersion }: Diagnosis): string {
  const known = [
    entry === null ? 'not read as an addon' : ENTRIES[entry],
    ...(arch === null ? [] : [`for ${arch}`]),
    ...(apiVersion === null ? [] : [`Node-API version ${apiVersion}`]),
  ];
  return known.join(', ');
}

function paragraph({ severity, code, detail, remedy }: Hazard): readonly string[] {
  return [`  ${severity} ${code}: ${detail}`, `    ${remedy}`, ''];
}

function outlook({ reclaim: { level, reasons } }: Diagnosis): readonly string[] {
  switch (level) {
    case 'full':
      return ['Unloads: full, as soon as it was replaced'];
    case 'when idle':
      return [
        'Unloads: when idle, so not while it has one of these pins:',
        ...reasons.map((pin) => `  ${pin}`),
      ];
    case 'never':
      return [`Unloads: never, because ${reasons.join(', and ')}`];
  }
}
