/** Programs that builds need, and what to do where one is missing. */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { isFile } from './files.ts';

const INSTALL: Readonly<Record<string, string>> = {
  cmake: 'install CMake, such as by "apt-get install cmake", "dnf install cmake" or "pip install cmake"',
  make: 'install GNU make, such as by "apt-get install make" or "dnf install make"',
  ninja: 'install Ninja, such as by "apt-get install ninja-build" or "dnf install ninja-build"',
  cargo: 'install Rust with its cargo, such as by "apt-get install cargo"',
};

/** @returns how to get the program; null for one that is not known here */
export function adviceFor(command: string): string | null {
  return INSTALL[path.basename(command)] ?? null;
}

/** Whether a search of the PATH ends there: whatever else has the name of a program is passed over, as a shell does. */
export async function isProgram(outside: Outside, file: string): Promise<boolean> {
  return (await isFile(outside, file)) && (await outside.mayExecute(file));
}

/** @returns absolute path of what the command of that name starts; null when there is no such program */
export async function findProgram(outside: Outside, name: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.resolve(folder, name);
    if (folder !== '' && (await isProgram(outside, file))) return file;
  }
  return null;
}

/**
 * @param title what people know the command as that starts it
 * @throws `ERR_BUILD_FAILED` when one of the programs is missing
 */
export async function requirePrograms(
  outside: Outside,
  names: readonly string[],
  { addon, title }: { readonly addon: SourcePath; readonly title: string },
): Promise<void> {
  for (const name of names) {
    if ((await findProgram(outside, name)) !== null) continue;
    throw errors.buildFailed({
      addon,
      command: title,
      reason: 'spawn',
      exitCode: null,
      signal: null,
      diagnostics: [],
      output: '',
      advice: `"${name}" is not installed: ${adviceFor(name) ?? 'install it'}`,
    });
  }
}
