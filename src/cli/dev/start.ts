/** From the command line of `napi-reload dev` to what is to be done. */
import process from 'node:process';
import { loadConfigSync } from '../../config/load.ts';
import { printConfig } from '../../config/print.ts';
import type { ResolvedConfig } from '../../config/resolve.ts';
import type { ResolvedDev } from '../../config/resolve-dev.ts';
import { realOutside } from '../../outside.ts';
import { EXIT_USAGE, type OptionValues, type Terminal } from '../command.ts';
import { type AppPlan, findScript } from './app-command.ts';
import type { DEV_OPTIONS } from './command.ts';
import { Edits } from './edits.ts';
import { checkPlans, type PlanRequest, planProjects } from './plans.ts';
import { type DevRequest, runDev } from './run.ts';

/** @returns the exit code, when all has ended. @throws `ReloadError` of what cannot be set up */
export async function startDev(
  options: OptionValues<typeof DEV_OPTIONS>,
  operands: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const cwd = process.cwd();
  if (options['print-config'] === true) {
    const request = planRequest(options, cwd, loadConfigSync(cwd));
    const plans = await planProjects(realOutside, request);
    const addons = plans.flatMap((plan) => plan.addons);
    terminal.out(printConfig(request.config, { addons, commandLine: commandLine(options, operands) }));
    return 0;
  }
  const edits = new Edits(async (config) => {
    const next = await requestOf(options, operands, planRequest(options, cwd, config));
    if (typeof next === 'string') throw new Error(next);
    await checkPlans(realOutside, next.plans);
    return next;
  });
  try {
    const first = await requestOf(options, operands, planRequest(options, cwd, await edits.open(cwd)));
    if (typeof first !== 'string') return await runDev(first, edits);
    terminal.error(`${first}\nSee napi-reload dev --help`);
    return EXIT_USAGE;
  } finally {
    await edits.close();
  }
}

function planRequest(
  options: OptionValues<typeof DEV_OPTIONS>,
  cwd: string,
  config: ResolvedConfig,
): PlanRequest {
  const { delay, poll, addon: named = [] } = options;
  const { dev } = config;
  return { ...{ config, cwd, named }, delayMs: delay ?? dev.delayMs, pollMs: poll ?? dev.pollMs };
}

/** @returns what is wrong, where it is not clear what to run */
async function requestOf(
  options: OptionValues<typeof DEV_OPTIONS>,
  operands: readonly string[],
  request: PlanRequest,
): Promise<DevRequest | string> {
  const { cwd, config } = request;
  const { dev } = config;
  const plans = await planProjects(realOutside, request);
  const app = appPlan(options, operands, dev, cwd);
  if (typeof app === 'string') return app;
  return {
    ...{ app, plans, request, cwd },
    env: dev.env,
    isJson: options.json ?? dev.json,
    clearsScreen: options['clear-screen'] ?? dev.clearScreen,
    inherits: options.inherit ?? false,
    restarts: (options.fallback ?? dev.fallback) === 'restart',
    endsWithApp: options['exit-with-app'] ?? false,
  };
}

/** @returns what is wrong, where it is not clear what to run */
function appPlan(
  { exec }: OptionValues<typeof DEV_OPTIONS>,
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
function commandLine(
  options: OptionValues<typeof DEV_OPTIONS>,
  [script, ...args]: readonly string[],
): object {
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
