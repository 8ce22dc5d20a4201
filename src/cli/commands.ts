/** All commands, in the order in which the help has them. */
import type { Command } from './command.ts';
import { checkCommand } from './check.ts';
import { completionsCommand } from './completions.ts';
import { devCommand } from './dev/command.ts';
import { doctorCommand } from './doctor.ts';
import { includeCommand } from './include.ts';

export const COMMANDS: readonly Command[] = [
  devCommand,
  doctorCommand,
  checkCommand,
  includeCommand,
  completionsCommand(() => COMMANDS),
];
