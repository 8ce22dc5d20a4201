/** The order of test files: those that take long come first, or one of them runs alone in the end. */
import fs from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Paths below `test/` of files that take half a minute and more, of one worker of two. Their order is of no matter. */
const SLOW: readonly string[] = [
  'package/bench.test.ts',
  'unit/build/swaps.test.ts',
  'fault/outside.test.ts',
  'fault/hosts-parent.test.ts',
  'fault/hosts.test.ts',
  'unit/build/fast.test.ts',
  'unit/docs/snippets.test.ts',
  'package/setup.test.ts',
  'native/ledger/lifecycle.test.ts',
  'matrix/operations.test.ts',
  'package/testing.test.ts',
  'package/install.test.ts',
  'native/threads.test.ts',
  'unit/cli/check.test.ts',
  'native/fuzz.test.ts',
  'unit/examples/http-server.test.ts',
  'unit/examples/vector-index.test.ts',
  'unit/isolate/segments.test.ts',
  'unit/register/suite.test.ts',
  'package/commands.test.ts',
];

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const gone = SLOW.filter((name) => !fs.existsSync(path.resolve(import.meta.dirname, '..', name)));
    if (gone.length > 0) throw new Error(`no such test files: ${gone.join(', ')}`);
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification): boolean => SLOW.some((name) => moduleId.endsWith(name));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
