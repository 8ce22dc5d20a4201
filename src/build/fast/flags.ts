/** The flags of a compilation that decide what a header means in it. */
import type { PlannedLine } from '../plan.ts';

/** Options with a value in the next word that say nothing of what the code means. */
const LEFT_OUT_WITH_VALUE = new Set(['-o', '-MF', '-MT', '-MQ']);
const LEFT_OUT = new Set(['-c', '-M', '-MM', '-MD', '-MMD', '-MP', '-MG']);

/** @returns all of the command but the source, the output and the depfile */
export function flagsOf({ args, file }: PlannedLine): readonly string[] {
  return args.filter((arg, at) => {
    const isLeftOut = arg === file || LEFT_OUT.has(arg) || LEFT_OUT_WITH_VALUE.has(arg);
    return !isLeftOut && !LEFT_OUT_WITH_VALUE.has(args[at - 1] ?? '');
  });
}

/** @returns which files its depfile names: all, or those that are not the system's; null when it writes none */
export function depsOptionOf({ args }: PlannedLine): '-MD' | '-MMD' | null {
  return args.includes('-MD') ? '-MD' : args.includes('-MMD') ? '-MMD' : null;
}
