/** The program of the process that is checked. Its only argument is a {@link CheckPlan} as JSON. */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { loadNative } from '../native.ts';
import { Loop } from './loop.ts';
import { type CheckPlan, WORDS_FD, type Word } from './words.ts';

/** Of a process that has told why it ends. */
const EXIT_TOLD = 1;

/** Whatever happens next, this was said. */
function say(word: Word): void {
  writeSync(WORDS_FD, `${JSON.stringify(word)}\n`);
}

const plan = JSON.parse(process.argv[2] ?? '') as CheckPlan;
// A parent that is killed cannot end its child, and native code that never returns hears nothing else.
if (!loadNative().dieWithParent(plan.parentPid)) process.exit(EXIT_TOLD);
const loop = new Loop(plan, say);
// What the exercise began and did not wait for.
process.on('uncaughtException', (error) => {
  loop.fail(error);
  process.exit(EXIT_TOLD);
});
await loop.run();
process.exit(0);
