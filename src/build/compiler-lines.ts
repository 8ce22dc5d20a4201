/** Lines of a build that are the command of a compiler. */
import path from 'node:path';
import { LINE_LENGTH_MAX } from './lines.ts';
import { splitShellWords } from './shell-words.ts';

/** `g++`, `x86_64-linux-gnu-gcc-12`, `/usr/bin/c++`, `clang++-15`, `cc`. */
const COMPILER = /^(?:[\w.-]+-)?(?:g\+\+|gcc|c\+\+|cc|clang\+\+|clang)(?:-[\d.]+)?$/;
const CXX_SOURCE = /\.(?:cc|cpp|cxx|c\+\+|C|CPP)$/;
const SOURCE = /\.(?:cc|cpp|cxx|c\+\+|C|CPP|c|S|s|m|mm)$/;

export interface CompilerLine {
  readonly kind: 'compile' | 'link';
  /** As it was typed, such as `g++`. */
  readonly compiler: string;
  /** What it is given, without itself. */
  readonly args: readonly string[];
  /** As printed: of a compilation its source, of a link what it writes. */
  readonly file: string;
  readonly isCxx: boolean;
}

/** @returns null for any other line */
export function readCompilerLine(line: string): CompilerLine | null {
  // Most lines are messages: the first word tells those apart without cutting up the rest.
  const first = /^(?:ccache )?(\S+) /.exec(line)?.[1];
  if (first === undefined || !COMPILER.test(path.basename(first))) return null;
  // A line that was cut has lost its end.
  const words = line.length < LINE_LENGTH_MAX ? splitShellWords(line) : null;
  if (words === null) return null;
  const [compiler = '', ...args] = words[0] === 'ccache' ? words.slice(1) : words;
  const output = valueAfter(args, '-o');
  if (!args.includes('-c')) {
    return output === null ? null : { kind: 'link', compiler, args, file: output, isCxx: false };
  }
  const file = args.find(
    (arg, at) => SOURCE.test(arg) && !arg.startsWith('-') && !TAKES_FILE.has(args[at - 1] ?? ''),
  );
  if (file === undefined) return null;
  return { kind: 'compile', compiler, args, file, isCxx: CXX_SOURCE.test(file) };
}

/** Options whose value may look like a source. */
const TAKES_FILE = new Set(['-o', '-MF', '-MT', '-MQ', '-include', '-imacros', '-I', '-isystem', '-D', '-x']);

function valueAfter(args: readonly string[], option: string): string | null {
  const at = args.indexOf(option);
  return at === -1 ? null : (args[at + 1] ?? null);
}
