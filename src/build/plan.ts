/** What make or ninja would do, asked before it does it. */
import os from 'node:os';
import path from 'node:path';
import type { Outside } from '../outside.ts';
import type { BuildRequest } from './builder.ts';
import { type CompilerLine, readCompilerLine } from './compiler-lines.ts';
import { readStep } from './progress.ts';
import { run } from './run.ts';
import type { Backend, Launch } from './tool.ts';

/** Bound on a dry run, in milliseconds. */
const DRY_RUN_TIMEOUT_MS = 10_000;

export interface PlannedLine extends CompilerLine {
  /** Absolute folder that it runs in. */
  readonly cwd: string;
}

export interface Plan {
  /** Whether nothing at all would be run. */
  readonly isEmpty: boolean;
  /** How many steps there will be; null where the tool tells by itself, or nobody can. */
  readonly total: number | null;
  readonly compilations: readonly PlannedLine[];
}

/** The real run, without what else is around it. */
export function launchOf({ kind, folder, args, isParallel }: Backend): Launch {
  const jobs = kind === 'make' && isParallel ? [`--jobs=${os.availableParallelism()}`] : [];
  const title = [kind, ...args].join(' ');
  return { command: kind, args: [...args, ...jobs], cwd: folder, env: {}, title, messagesFrom: folder };
}

/** @returns null when the tool could not tell */
export async function planOf(
  outside: Outside,
  { kind, folder, args, foresees }: Backend,
  { signal }: Pick<BuildRequest, 'signal'>,
): Promise<Plan | null> {
  const compilations: PlannedLine[] = [];
  const steps = new PlannedSteps();
  const { end } = await run(outside, {
    command: kind,
    args: [...args, '-n', ...(kind === 'ninja' ? ['-v'] : [])],
    cwd: folder,
    env: {},
    signal,
    timeoutMs: DRY_RUN_TIMEOUT_MS,
    onLine: (line) => {
      if (/^(?:\S*make(?:\[\d+\])?|ninja): /.test(line)) return;
      steps.line(line);
      const found = compilationIn(line, folder);
      if (found !== null) compilations.push(found);
    },
  });
  if (end.kind !== 'exit' || end.exitCode !== 0) return null;
  const total = kind === 'make' && foresees !== 'nothing' && steps.count > 0 ? steps.count : null;
  return { isEmpty: foresees === 'all' && steps.isEmpty, total, compilations };
}

/** A command that prints a step, such as gyp's. */
const SAID = /^(?:printf '%s\\n'|echo) ["'](.*)["']$/;

/** Counts the steps that a real run would tell. */
class PlannedSteps {
  isEmpty = true;
  #said = 0;
  #commands = 0;
  /** What steps that were told make. */
  readonly #made: string[] = [];
  /** A link that is told, before its command shows whether it is one of something new: gyp's are listed in any case. */
  #link: string | null = null;

  /** Where steps are told, the commands are not printed in a real run. */
  get count(): number {
    return this.#said > 0 ? this.#said : this.#commands;
  }

  line(line: string): void {
    this.isEmpty = false;
    const text = SAID.exec(line)?.[1];
    const step = readStep(text ?? line);
    if (text === undefined) {
      if (step !== null) this.#commands += 1;
      const link = this.#link;
      if (link !== null && this.#made.some((name) => line.includes(name))) this.#tell(link);
    } else if (step !== null) {
      const target = text.slice(text.lastIndexOf(' ') + 1);
      this.#link = step.kind === 'link' ? target : null;
      if (step.kind !== 'link') this.#tell(target);
    }
  }

  #tell(target: string): void {
    this.#said += 1;
    this.#made.push(target);
    this.#link = null;
  }
}

/** `[1/2] c++ …` of ninja, `cd /folder && c++ …` of CMake's Makefiles, `c++ …`. */
const BEFORE_COMMAND = /^(?:\[\d+\/\d+\] )?(?:cd ("[^"]+"|\S+) && )?/;

function compilationIn(line: string, folder: string): PlannedLine | null {
  const [before = '', cd] = BEFORE_COMMAND.exec(line) ?? [];
  const found = readCompilerLine(line.slice(before.length));
  if (found?.kind !== 'compile') return null;
  return { ...found, cwd: path.resolve(folder, cd?.replaceAll('"', '') ?? '.') };
}
