/** `napi-reload dev`: builds, runs the app, and reloads its addons while their sources are edited. */
import { type Command, command } from '../command.ts';

export const DEV_OPTIONS = {
  exec: {
    type: 'string',
    value: 'command',
    summary: 'start the app by a command line for a shell, such as "npm start"',
  },
  addon: {
    type: 'strings',
    value: 'file',
    summary: 'an addon to build, where looking finds others or none',
    completes: '.node',
  },
  fallback: {
    type: 'string',
    choices: ['restart', 'none'],
    default: 'none',
    summary: 'what to do when a version cannot be swapped in place: start the app again, or only say so',
  },
  'exit-with-app': { type: 'boolean', summary: 'end when the app ends by itself, with its exit code' },
  delay: {
    type: 'duration',
    summary: 'silence after the last change before a build starts',
    default: '30ms',
  },
  poll: {
    type: 'duration',
    min: 10,
    summary: 'look at the files that often, where the file system tells of no changes',
  },
  json: { type: 'boolean', summary: "print events, a line of JSON each; the app's output goes to stderr" },
  'clear-screen': { type: 'boolean', default: 'true', summary: 'clear the screen when something is built' },
  inherit: { type: 'boolean', summary: 'leave the terminal to the app: no keys, no status line' },
  'print-config': { type: 'boolean', summary: 'print what is in force, as JSON, and end' },
} as const;

export const devCommand: Command<typeof DEV_OPTIONS> = command({
  name: 'dev',
  summary: 'build addons, run an app, and reload them in it while you edit',
  description: [
    'Finds the addons of the folder, builds them, and starts the app with napi-reload/register. When a source changes, what has changed is built, and goes live in each process and thread of the app. What does not build, or is refused, is shown, and the previous version keeps serving.',
    'In a terminal, "h" shows the keys. When the app ends, or crashes, it is started again after the next change.',
  ],
  operands: [
    { name: '[script]', summary: 'the file that Node.js runs', completes: 'file' },
    { name: '[args...]', summary: 'what it is given' },
  ],
  operandsEndOptions: true,
  options: DEV_OPTIONS,
  examples: [
    { line: 'napi-reload dev app.js --port 8080', summary: 'run app.js with an option of its own' },
    { line: 'napi-reload dev --exec "npm start"', summary: 'run what npm starts' },
    { line: 'napi-reload dev --json app.js', summary: 'tell a program of everything' },
  ],
  exits: [
    ['0', 'ended by the key q, or with --exit-with-app, the app ended well'],
    ['1', 'something that is needed could not be set up'],
    ['130, 143, 129, 131', 'ended by Ctrl-C, SIGTERM, SIGHUP, SIGQUIT'],
    ['another', 'with --exit-with-app: that of the app'],
  ],
  environment: [
    ['NO_COLOR, FORCE_COLOR', 'no colours, or colours also where nobody looks'],
    ['CI', 'no keys and no status line, also in a terminal'],
    ['GITHUB_ACTIONS', 'messages of compilers become annotations'],
  ],
  files: [['napi-reload.config.*', 'what is not given on the command line is read from there']],
  // Other commands need nothing of all that it takes.
  run: async ({ options, operands, terminal }) => {
    const { startDev } = await import('./start.ts');
    return startDev(options, operands, terminal);
  },
});
