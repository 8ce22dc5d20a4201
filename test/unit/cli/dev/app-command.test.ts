/** The command line and the environment that an app is started with. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { appCommand } from '../../../../src/cli/dev/app-command.ts';

test.each(['--title=my app', '--title=a "b" \\c', '--title=plain'])(
  'Node.js beneath a shell takes %j as it does on a command line of its own',
  (nodeArg) => {
    const line = `"${process.execPath}" -p process.title`;
    const plan = { kind: 'exec', line, nodeArgs: [nodeArg] } as const;
    const { command, args, env } = appCommand(plan, { cwd: '.', env: { NODE_OPTIONS: '' }, socket: 's' });
    // The register is built code, and of no matter here.
    const options = env['NODE_OPTIONS']?.replace(/^--import=\S+ /, '');
    const { stdout } = spawnSync(command, args, { env: { ...env, NODE_OPTIONS: options }, encoding: 'utf8' });
    const direct = spawnSync(process.execPath, [nodeArg, '-p', 'process.title'], { encoding: 'utf8' });
    expect(stdout).toBe(direct.stdout);
    expect(stdout.length).toBeGreaterThan('\n'.length);
  },
);
