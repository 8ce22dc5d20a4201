/** Turns a line of a build into the step that it tells of. */

const STEP_LENGTH_MAX = 120;

/** `  CXX(target) Release/obj.target/kernel/src/kernel.o`, as gyp's Makefile prints each step. */
const GYP_STEP = /^ {2}([A-Z][A-Z_]+)(?:\(\w+\))? (\S+)/;
/** `[3/9] …` of ninja, `[ 50%] …` of CMake's Makefiles. */
const COUNTED_STEP = /^\[ *(?:\d+\/\d+|\d+%)\] \S/;

/** @returns such as `CXX kernel`, `SOLINK_MODULE kernel.node`, `[3/9] Building …`; null when the line tells of no step */
export function readStep(line: string): string | null {
  const gyp = GYP_STEP.exec(line);
  if (gyp) return `${gyp[1]} ${lastName(gyp[2] ?? '')}`.slice(0, STEP_LENGTH_MAX);
  return COUNTED_STEP.test(line) ? line.slice(0, STEP_LENGTH_MAX) : null;
}

function lastName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/\.o$/, '');
}
