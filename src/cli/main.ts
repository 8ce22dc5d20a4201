#!/usr/bin/env node
/** The program `napi-reload`. */
import process from 'node:process';
import { COMMANDS } from './commands.ts';
import { run } from './run.ts';

// Whoever reads, such as `head`, may have seen enough; that is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), COMMANDS, {
  out: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
});
