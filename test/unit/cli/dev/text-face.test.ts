/** What reaches a terminal of names and messages that somebody has made to mislead whoever reads them. */
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import type { DevEvent } from '../../../../src/cli/dev/events.ts';
import { Screen } from '../../../../src/cli/dev/screen.ts';
import { TextFace } from '../../../../src/cli/dev/text-face.ts';

const EVIL = '\x1b]0;owned\x07\x1b[2J\x9b1A\r\x7f';
const SHOWN = '\\x1b]0;owned\\x07\\x1b[2J\\x9b1A\\x0d\\x7f';

const EVENTS: readonly DevEvent[] = [
  {
    ...{ type: 'start', version: '1.0.0', pid: 1, command: ['app.js'] },
    projects: [{ id: '/p', root: '/p', builder: 'sh', addons: [`/p/out/${EVIL}.node`] }],
  },
  { type: 'changed', project: '/p', files: [`/p/${EVIL}\n[napi-reload] fine.c`], detectMs: 1 },
  {
    ...{ type: 'build-failed', project: '/p', code: 'ERR_BUILD_FAILED', message: 'failed', output: '' },
    ...{ summary: `a.c:1: ${EVIL}`, durationMs: 1, phasesMs: {} },
    diagnostics: [{ file: '/p/a.c', line: 1, column: 1, severity: 'error', text: EVIL }],
  },
  { type: 'idle', app: 'not-started' },
];

function faceOf(write: (text: string) => unknown, screen: Screen | null): TextFace {
  return new TextFace({
    colors: picocolors.createColors(true),
    ...{ cwd: '/p', screen, write, clearsScreen: false, hasKeys: false, restarts: false, workspace: null },
  });
}

test('nothing but colours gets through, and a name makes no line of its own', () => {
  let written = '';
  const face = faceOf((text) => {
    written += text;
  }, null);
  for (const event of EVENTS) face.tell(event);
  expect(written).toContain(SHOWN);
  expect(written).toContain('\x1b[31m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(written.replaceAll(/\x1b\[[\d;]*m/g, '')).toMatch(/^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$/);
  expect(written).toContain(`${SHOWN}\\x0a[napi-reload] fine.c changed`);
});

test('the status is as harmless', () => {
  const writes: string[] = [];
  const screen = new Screen({ columns: 200, write: (text) => writes.push(text) });
  const face = faceOf(() => undefined, screen);
  for (const event of EVENTS) face.tell(event);
  const all = writes.join('');
  expect(writes.at(-1)).toContain(SHOWN);
  for (const part of ['\x1b]0;', '\x1b[2J', '\x9b', '\x7f']) expect(all).not.toContain(part);
  face.close();
});
