// `node test/long/ledger-matrix.mjs [facility ...]`: each facility × kept or dropped × each way to end, in Workers too.
import { isDeepStrictEqual } from 'node:util';
import { compare, ENDS, FACILITIES, KEEPS } from '../fixtures/ledger/matrix.mjs';

/** Child processes at once. */
const PARALLEL = 2;

const chosen = process.argv.length > 2 ? process.argv.slice(2) : FACILITIES;
const waiting = chosen.flatMap((facility) => KEEPS.map((keep) => ({ facility, keep })));
const total = waiting.length;
let differing = 0;

async function work() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { wanted, found } = await compare(next.facility, next.keep, ENDS);
    if (isDeepStrictEqual(wanted, found)) continue;
    differing += 1;
    console.error(`${next.facility} ${next.keep}\n${JSON.stringify({ wanted, found }, null, 2)}`);
  }
}

await Promise.all(Array.from({ length: PARALLEL }, work));
console.log(JSON.stringify({ cases: total * ENDS.length, differing }));
if (differing > 0) process.exitCode = 1;
