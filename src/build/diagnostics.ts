/** Reads what compilers, linkers, make, gyp and CMake print, line by line, and keeps the messages in it. */
import path from 'node:path';
import type { Diagnostic } from '../diagnostic.ts';

/** Errors kept of one build. */
export const ERRORS_MAX = 100;
/** Warnings and notes kept of one build. */
export const REMARKS_MAX = 100;
/** Folders that make can be in at once; deeper ones are taken for the last known. */
const DIRECTORY_DEPTH_MAX = 64;

export interface DiagnosticParser {
  line(text: string): void;
  /** What was found so far, in the order it was printed. A linker's message without a file names the folder it ran in. */
  result(): readonly Diagnostic[];
}

type Found = Omit<Diagnostic, 'text'> & { text: string };
/** What a rule makes of the groups of its pattern: paths still as printed. */
type Rule = readonly [pattern: RegExp, read: (groups: readonly string[]) => Partial<Found>];

const at = (file: string, text: string, severity: Diagnostic['severity'] = 'error'): Partial<Found> => ({
  file,
  text,
  severity,
});

/** A linker's note of the object file that its next line, which often names a source without its folder, is about. */
const IN_OBJECT = /^(?:\S*\/)?(?:\S+-)?ld(?:\.\w+)?: (.+?): in function /;
const CMAKE = /^CMake (Error|Warning)(?: \(dev\))? at (.+?):(\d+)(?: \((.+)\))?:$/;
const ENTERING = /^\S*make(?:\[\d+\])?: (Entering|Leaving) directory [`'‘](.+)['’]$/;

/** The first that fits wins. Every one begins at the start of the line, so that code quoted in a message never fits. */
const RULES: readonly Rule[] = [
  [
    /^([^\s:][^:]*):(\d+):(?:(\d+):)? (fatal error|error|warning|note|internal compiler error): (.*)$/,
    ([file = '', line, column, severity = '', text = '']) => ({
      ...at(
        file,
        text,
        severity.startsWith('internal') ? 'fatal error' : (severity as Diagnostic['severity']),
      ),
      line: Number(line),
      column: Number(column ?? 0),
    }),
  ],
  [
    /^(?:\S*ld(?:\.\w+)?: )?([^\s:][^:]*):(\d+): ((?:undefined reference to|multiple definition of) .*)$/,
    ([file = '', line, text = '']) => ({ ...at(file, text), line: Number(line) }),
  ],
  [
    /^(?:\S*ld(?:\.\w+)?: )?([^\s:]+?)(?::[^\s:]+)?:(?:\(\.\S+\)|function .*?): (?:error: )?((?:undefined reference to|multiple definition of) .*)$/,
    ([file = '', text = '']) => at(file, text),
  ],
  [/^(?:\S*\/)?(?:\S+-)?ld(?:\.\w+)?: (cannot find .*)$/, ([text = '']) => at('.', text)],
  [
    /^(?:\S*\/)?(?:\S+-)?ld(?:\.\w+)?: (\S+\.(?:o|a|so)): ((?!in function).*)$/,
    ([file = '', text = '']) => at(file, text),
  ],
  [/^(?:ld\.lld|mold|(?:\S*\/)?ld(?:\.\w+)?): (?:fatal )?error: (.*)$/, ([text = '']) => at('.', text)],
  [/^collect2: fatal error: (.*)$/, ([text = '']) => at('.', text, 'fatal error')],
  [
    /^(?:cc1\w*|gcc|g\+\+|cc|c\+\+|clang(?:\+\+)?): (?:fatal )?error: (.+): (No such file or directory)$/,
    ([file = '', text = '']) => at(file, text, 'fatal error'),
  ],
  [
    /^\S*make(?:\[\d+\])?: \*\*\* (No rule to make target [`'‘](.+?)['’].*?)(?:\. {2}Stop\.)?$/,
    ([text = '', file = '']) => at(file, text),
  ],
  [/^(gyp: .*) in (\S+\.gypi?) while trying to load .*$/, ([text = '', file = '']) => at(file, text)],
  [/^(gyp: .*)$/, ([text = '']) => at('.', text)],
  [/^gyp ERR! stack Error: (Could not find any Python.*)$/, ([text = '']) => at('.', text, 'fatal error')],
];

/** @param cwd absolute folder that the tools start in; make tells when it goes into another */
export function parseDiagnostics(cwd: string): DiagnosticParser {
  const found: Found[] = [];
  const count = { errors: 0, remarks: 0 };
  const directories = [cwd];
  let object: string | null = null;
  /** A message whose text is on the lines that follow. */
  let open: Found | null = null;
  let python: { file: string; line: number } | null = null;

  const resolve = (file: string) => path.resolve(directories.at(-1) ?? cwd, file);
  const keep = (part: Partial<Found>): Found => {
    const { file = '.', line = 0, column = 0, severity = 'error', text = '' } = part;
    const diagnostic = { file: resolve(file), line, column, severity, text };
    const kind = severity === 'warning' || severity === 'note' ? 'remarks' : 'errors';
    count[kind] += 1;
    if (count[kind] <= (kind === 'errors' ? ERRORS_MAX : REMARKS_MAX)) found.push(diagnostic);
    return diagnostic;
  };

  /** Whether the line tells of folders, or only makes sense with the lines beside it. */
  function readContext(text: string): boolean {
    const moved = ENTERING.exec(text);
    if (moved) {
      moveTo(directories, moved[1] === 'Entering', path.resolve(cwd, moved[2] ?? ''));
      return true;
    }
    if (open) {
      if (text.trim() === '') return open.text === '';
      if (!text.startsWith('  ')) open = null;
      else if (open.text === '' || open.text.endsWith(':')) {
        open.text = `${open.text} ${text.trim()}`.trim();
        return true;
      } else open = null;
    }
    const cmake = CMAKE.exec(text);
    if (cmake) {
      const [, kind, file = '.', line, command] = cmake;
      const severity = kind === 'Error' ? 'error' : 'warning';
      open = keep({ ...at(file, command ? `${command}:` : '', severity), line: Number(line) });
      return true;
    }
    object = IN_OBJECT.exec(text)?.[1] ?? (/^\S*ld/.test(text) ? null : object);
    return readPython(text);
  }

  /** gyp files are Python literals: a mistake in one is a traceback that ends in a SyntaxError. */
  function readPython(text: string): boolean {
    const place = /^ {2}File "(.+\.gypi?)", line (\d+)/.exec(text);
    if (place) python = { file: place[1] ?? '.', line: Number(place[2]) };
    const mistake = /^((?:Syntax|Indentation)Error: .*)$/.exec(text);
    if (python && mistake) keep({ ...at(python.file, mistake[1] ?? ''), line: python.line });
    if (mistake) python = null;
    return place !== null || mistake !== null;
  }

  return {
    line(text) {
      if (readContext(text)) return;
      for (const [pattern, read] of RULES) {
        const match = pattern.exec(text);
        if (!match) continue;
        const part = read(match.slice(1));
        const nameOnly = part.line === undefined && object !== null && !part.file?.includes('/');
        keep(nameOnly && part.file !== '.' && object !== null ? { ...part, file: object } : part);
        return;
      }
    },
    result: () => found,
  };
}

function moveTo(directories: string[], entering: boolean, directory: string): void {
  if (entering) {
    if (directories.length < DIRECTORY_DEPTH_MAX) directories.push(directory);
    return;
  }
  // Parallel sub-makes leave in any order.
  const index = directories.lastIndexOf(directory);
  if (index > 0) directories.splice(index, 1);
}
