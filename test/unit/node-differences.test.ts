/** What differs between versions of Node.js is what the one list of it says. */
import { expect, test } from 'vitest';
import { DIFFERENCES, LINES } from '../support/node-differences.mjs';
import { readDocument, sectionOf, tablesOf } from './docs/markdown.ts';

const [major = '', minor = ''] = process.versions.node.split('.');
const line = LINES.findIndex((name) => name.startsWith(`${major}.`));
/** An older one of the line may lack what was brought back to it. */
const isKnown = line !== -1 && Number(minor) >= Number(LINES[line]?.split('.')[1]);

test.skipIf(!isKnown).each(Object.entries(DIFFERENCES))(
  '%s is as the list has it (where this Node.js is one of the list)',
  (_, { on, isHere }) => {
    expect(isHere()).toBe(on[line]);
  },
);

test('the platforms page shows the list', () => {
  const [, table] = [0, ...tablesOf(sectionOf(readDocument('docs/platforms.md'), 'What differs').text)];
  expect(table).toEqual(
    Object.values(DIFFERENCES).map(({ what, on, upstream, minds }) => [
      `[${what}](${upstream})`,
      ...on.map((is) => (is ? 'yes' : 'no')),
      minds,
    ]),
  );
});
