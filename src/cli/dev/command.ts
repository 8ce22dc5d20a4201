/** `napi-reload dev`: builds, runs the app, and reloads its addons while their sources are edited. */
import process from 'node:process';
import { loadConfigSync } from '../../config/load.ts';
import { printConfig } from '../../config/print.ts';
import type { ResolvedDev } from '../../config/resolve-dev.ts';
import { realOutside } from '../../outside.ts';
import { type Command, command, EXIT_USAGE, type OptionValues, type Terminal } from '../command.ts';
import { type AppPlan, findScript } from './app-command.ts';
import { type PlanRequest, planProjects } from './plans.ts';
import { runDev } from './run.ts';

const OPTIONS = {
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

export const devCommand: Command<typeof OPTIONS> = command({
  name: 'dev',
  summary: 'build addons, run an app, and reload them in it while you edit',
  description: [
    'Finds the addons of the folder, builds them, and starts the app with napi-reload/register. When a source changes, what has changed is built, and goes live in each process and thread of the app. What does not build, or is refused, is shown, and the version before serves on.',
    'In a terminal, "h" shows the keys. When the app ends, or crashes, it is started again after the next change.',
  ],
  operands: [
    { name: '[script]', summary: 'the file that Node.js runs', completes: 'file' },
    { name: '[args...]', summary: 'what it is given' },
  ],
  operandsEndOptions: true,
  options: OPTIONS,
  examples: [
    { line: 'napi-reload dev app.js --port 8080', summary: 'run app.js with an option of its own' },
    { line: 'napi-reload dev --exec "npm start"', summary: 'run what npm starts' },
    { line: 'napi-reload dev --json app.js', summary: 'tell a program of everything' },
  ],
  exits: [
    ['0', 'ended by the key q, or with --exit-with-app, the app ended well'],
    ['1', 'something that is needed could not be set up'],
    ['130, 143, 129', 'ended by Ctrl-C, SIGTERM, SIGHUP'],
    ['another', 'with --exit-with-app: that of the app'],
  ],
  environment: [
    ['NO_COLOR, FORCE_COLOR', 'no colours, or colours also where nobody looks'],
    ['CI', 'no keys and no status line, also in a terminal'],
    ['GITHUB_ACTIONS', 'messages of compilers become annotations'],
  ],
  files: [['napi-reload.config.*', 'what is not given on the command line is read from there']],
  run: ({ options, operands, terminal }) => start(options, operands, process.cwd(), terminal),
});

async function start(
  options: OptionValues<typeof OPTIONS>,
  operands: readonly string[],
  cwd: string,
  terminal: Terminal,
): Promise<number> {
  const config = loadConfigSync(cwd);
  const { delay, poll, addon: named = [] } = options;
  const { dev } = config;
  const request: PlanRequest = {
    ...{ config, cwd, named },
    delayMs: delay ?? dev.delayMs,
    pollMs: poll ?? dev.pollMs,
  };
  const plans = await planProjects(realOutside, request);
  if (options['print-config'] === true) {
    const addons = plans.flatMap((plan) => plan.addons);
    terminal.out(printConfig(config, { addons, commandLine: commandLine(options, operands) }));
    return 0;
  }
  const app = appPlan(options, operands, dev, cwd);
  if (typeof app === 'string') {
    terminal.error(`${app}\nSee napi-reload dev --help`);
    return EXIT_USAGE;
  }
  return runDev({
    ...{ app, plans, request, cwd },
    env: dev.env,
    isJson: options.json ?? dev.json,
    clearsScreen: options['clear-screen'] ?? dev.clearScreen,
    inherits: options.inherit ?? false,
    restarts: (options.fallback ?? dev.fallback) === 'restart',
    endsWithApp: options['exit-with-app'] ?? false,
  });
}

/** @returns what is wrong, where it is not clear what to run */
function appPlan(
  { exec }: OptionValues<typeof OPTIONS>,
  operands: readonly string[],
  dev: ResolvedDev,
  cwd: string,
): AppPlan | string {
  const { nodeArgs } = dev;
  const [given] = operands;
  if (exec !== undefined && given !== undefined)
    return `Cannot run both --exec ${JSON.stringify(exec)} and the script ${JSON.stringify(given)}: give one of them`;
  if (exec !== undefined) return { kind: 'exec', line: exec, nodeArgs };
  const script = given ?? dev.script;
  if (script === null) {
    if (dev.exec !== null) return { kind: 'exec', line: dev.exec, nodeArgs };
    return 'Nothing to run: give the script that loads the addon, or --exec with a command line';
  }
  const file = findScript(script, cwd);
  if (file === null)
    return `Cannot run ${JSON.stringify(script)}: there is no such file; give the script that loads the addon, or --exec with a command line`;
  return { kind: 'script', script: file, args: given === undefined ? dev.args : operands.slice(1), nodeArgs };
}

/** What of a configuration the command line has said otherwise. */
function commandLine(options: OptionValues<typeof OPTIONS>, [script, ...args]: readonly string[]): object {
  const { exec, json, fallback, delay, poll } = options;
  const given = script === undefined ? {} : { script, args };
  return {
    ...given,
    exec,
    json,
    fallback,
    delayMs: delay,
    pollMs: poll,
    clearScreen: options['clear-screen'],
  };
}
