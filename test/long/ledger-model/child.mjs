// child.mjs <file> <operations> <seed>: random lists of operations until so many are done. Each list is in the file while
// it is done, so that the parent knows which one ended the process. child.mjs <file>: the list in the file alone.
import fs from 'node:fs';
import fc from 'fast-check';
import { checkLeft, COLLECT_EACH, createWorld, NAMES, perform, settle } from './model.mjs';

const LIST_MAX = 1000;
const CHOICES_MAX = 2 ** 16;

const [file = '', operations, seed] = process.argv.slice(2);
let done = 0;
let classes = 0;

/** @param {readonly import('./model.mjs').Operation[]} list */
async function runList(list) {
  const world = createWorld();
  for (const operation of list) {
    await perform(world, operation);
    done += 1;
  }
  await settle(world);
  classes += world.classes;
}

const choice = fc.nat(CHOICES_MAX);
const operation = fc.oneof(
  {
    weight: COLLECT_EACH,
    arbitrary: fc.record({ name: fc.constantFrom(...NAMES), which: choice, value: choice }),
  },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('collect'), which: choice, value: choice }) },
);

if (operations === undefined) {
  await runList(JSON.parse(fs.readFileSync(file, 'utf8')));
} else {
  const lists = fc.array(operation, { minLength: 1, maxLength: LIST_MAX, size: 'max' });
  const property = fc.asyncProperty(lists, async (list) => {
    fs.writeFileSync(file, JSON.stringify(list));
    await runList(list);
  });
  while (done < Number(operations)) {
    await fc.assert(property, { seed: Number(seed) + done, numRuns: 5, endOnFailure: true });
  }
}
await checkLeft(classes);
fs.writeSync(1, `${done}\n`);
