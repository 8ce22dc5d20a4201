/** What docs/dev.md says in tables, compared with the source that it speaks of. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { KEYS } from '../../../src/cli/dev/keys.ts';
import { ANSWER_NOTICE_MS } from '../../../src/cli/dev/threads.ts';
import { namesIn, readDocument, ROOT, sectionOf, tablesOf } from './markdown.ts';

const text = readDocument('docs/dev.md');

function table(title: string): readonly (readonly string[])[] {
  const [rows] = tablesOf(sectionOf(text, title).text);
  if (rows === undefined) throw new Error(`Section "${title}" has no table`);
  return rows;
}

test('the table of keys is that of the program', () => {
  expect(table('In a terminal')).toEqual(KEYS.map(({ key, summary }) => [`\`${key}\``, summary]));
});

test('the table of events names exactly those that there are, in their order', () => {
  const source = fs.readFileSync(path.join(ROOT, 'src/cli/dev/events.ts'), 'utf8');
  const union = source.slice(source.indexOf('export type DevEvent ='));
  const types = [...union.matchAll(/readonly type: ((?:'[\w-]+'(?: \| )?)+)/g)];
  const names = types.flatMap(([, each = '']) => each.split(' | ').map((name) => name.replaceAll("'", '')));
  expect(names.length).toBeGreaterThan(20);
  expect(namesIn(table('Programs'))).toEqual(names);
  expect(sectionOf(text, 'Programs').text).toContain(`${ANSWER_NOTICE_MS / 1_000} s`);
});
