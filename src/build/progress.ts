/** Turns a line of a build into the step that it tells of. */
import path from 'node:path';
import { readCompilerLine } from './compiler-lines.ts';

const STEP_LENGTH_MAX = 120;

export interface Step {
  /** Such as `CXX kernel.cc`, `LINK kernel.node`. */
  readonly step: string;
  readonly kind: 'compile' | 'link' | 'other';
  /** Whether the line comes when the step has ended, as ninja's do, and not when it begins. */
  readonly hasEnded: boolean;
  readonly done?: number;
  readonly total?: number;
}

/** `  CXX(target) Release/obj.target/kernel/src/kernel.o`, as gyp's Makefile prints each step. */
const GYP_STEP = /^ {2}([A-Z][A-Z_]+)(?:\(\w+\))? (\S+)/;
/** `[3/9] …` of ninja, `[ 50%] …` of CMake's Makefiles. */
const COUNTED_STEP = /^\[ *(?:(\d+)\/(\d+)|(\d+)%)\] (?!Built target )(\S.*)$/;
/** What CMake says of a step, whoever runs it. */
const CMAKE_COMPILES = /^Building (\w+) object (\S+?)(?:\.o)?$/;
const CMAKE_LINKS = /^Linking \w+ (?:shared module|shared library|static library|executable) (\S+)/;
/** `   Compiling kernel v0.1.0 (/src/kernel)` of cargo. */
const CARGO_STEP = /^ {3}(Compiling \S+) v\d/;

/** @returns null when the line tells of no step */
export function readStep(line: string): Step | null {
  const gyp = GYP_STEP.exec(line);
  if (gyp) return named(gyp[1] ?? '', gyp[2] ?? '', kindOfGyp(gyp[1] ?? ''));
  const counted = COUNTED_STEP.exec(line);
  if (counted) {
    const [, done, total, percent, text = ''] = counted;
    const step = readCmakeStep(text);
    if (percent !== undefined) return { ...step, done: Number(percent), total: 100 };
    return { ...step, hasEnded: true, done: Number(done), total: Number(total) };
  }
  const cargo = CARGO_STEP.exec(line);
  if (cargo) return { step: cargo[1] ?? '', kind: 'compile', hasEnded: false };
  const compiler = readCompilerLine(line);
  if (compiler === null) return null;
  return named(
    compiler.kind === 'link' ? 'LINK' : compiler.isCxx ? 'CXX' : 'CC',
    compiler.file,
    compiler.kind,
  );
}

function readCmakeStep(text: string): Step {
  const compiles = CMAKE_COMPILES.exec(text);
  if (compiles) return named(compiles[1] === 'C' ? 'CC' : (compiles[1] ?? ''), compiles[2] ?? '', 'compile');
  const links = CMAKE_LINKS.exec(text);
  if (links) return named('LINK', links[1] ?? '', 'link');
  return {
    step: text.slice(0, STEP_LENGTH_MAX),
    kind: readCompilerLine(text)?.kind ?? 'other',
    hasEnded: false,
  };
}

function kindOfGyp(verb: string): Step['kind'] {
  if (verb === 'CC' || verb === 'CXX' || verb === 'OBJC' || verb === 'OBJCXX') return 'compile';
  return /^(?:SO)?LINK|^AR|^COPY/.test(verb) ? 'link' : 'other';
}

function named(verb: string, file: string, kind: Step['kind']): Step {
  const step = `${verb} ${path.basename(file).replace(/\.o$/, '')}`.slice(0, STEP_LENGTH_MAX);
  return { step, kind, hasEnded: false };
}
