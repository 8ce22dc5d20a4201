// `npm test`: runs every test and ends with one line of counts that stands alone.
import { startVitest } from 'vitest/node';

const filters = process.argv.slice(2);
const vitest = await startVitest('test', filters, { watch: false, reporters: ['default'] });
const counts = { passed: 0, failed: 0, skipped: 0 };

for (const module of vitest.state.getTestModules()) {
  // A file that could not even be collected has no tests to count, and is a failure all the same.
  if (module.errors().length > 0) counts.failed += 1;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    counts[state === 'pending' ? 'failed' : state] += 1;
  }
}
const loose = vitest.state.getUnhandledErrors().length;
counts.failed += loose;
if (counts.passed + counts.failed === 0) {
  console.error('no test was run');
  counts.failed += 1;
}
process.exitCode = counts.failed > 0 ? 1 : 0;
await vitest.close();
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
