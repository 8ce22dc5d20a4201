/** How the app is started, so that each of its processes and threads finds its way here. */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { LINK_VARIABLE } from '../../link/messages.ts';
import type { AppCommand } from './app.ts';

/** What is loaded ahead of the app: it makes each addon reloadable, and connects the thread. */
const REGISTER = new URL('../../register/register.js', import.meta.url).href;

export type AppPlan =
  | {
      readonly kind: 'script';
      readonly script: string;
      readonly args: readonly string[];
      readonly nodeArgs: readonly string[];
    }
  | { readonly kind: 'exec'; readonly line: string; readonly nodeArgs: readonly string[] };

export interface AppSetting {
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Path of the link's socket. */
  readonly socket: string;
}

/** @returns the script's own path; null when there is no such file */
export function findScript(script: string, cwd: string): string | null {
  const file = path.resolve(cwd, script);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  try {
    // A name without its end, or a folder, as Node.js takes them.
    return createRequire(path.join(cwd, 'noop.js')).resolve(file);
  } catch {
    return null;
  }
}

export function appCommand(plan: AppPlan, { cwd, env, socket }: AppSetting): AppCommand {
  const own: NodeJS.ProcessEnv = { ...process.env, ...env, [LINK_VARIABLE]: socket };
  if (plan.kind === 'script') {
    const { script, args, nodeArgs } = plan;
    // Before options of the person's own: what they import may open addons.
    const all = ['--import', REGISTER, ...nodeArgs, script, ...args];
    return {
      command: process.execPath,
      args: all,
      env: own,
      cwd,
      title: [path.relative(cwd, script) || script, ...args],
    };
  }
  // Whatever runs beneath a shell or npm is reached by the environment alone.
  const options = [own['NODE_OPTIONS'], `--import=${REGISTER}`, ...plan.nodeArgs.map(quoted)];
  return {
    command: '/bin/sh',
    args: ['-c', plan.line],
    env: { ...own, NODE_OPTIONS: options.filter(Boolean).join(' ') },
    cwd,
    title: [plan.line],
  };
}

/** As NODE_OPTIONS is split: at blanks, but for those in double quotes, where a backslash keeps what follows as it is. */
function quoted(arg: string): string {
  return /[\s"\\]/.test(arg) ? `"${arg.replace(/["\\]/g, '\\$&')}"` : arg;
}
