/** The screen, compared with what a terminal makes of it. */
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Screen } from '../../../../src/cli/dev/screen.ts';

const COLUMNS = 20;
const ROWS = 8;

function createTerminal(columns = COLUMNS, rows = ROWS) {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 1_000, allowProposedApi: true });
  let last = Promise.resolve();
  const stream = {
    get columns() {
      return terminal.cols;
    },
    get rows() {
      return terminal.rows;
    },
    // As the line discipline of a terminal writes line breaks.
    write(text: string) {
      last = new Promise((resolve) => terminal.write(text.replaceAll('\n', '\r\n'), resolve));
    },
  };
  const lines = (): readonly string[] => {
    const { active } = terminal.buffer;
    const all = Array.from({ length: active.length }, (_, y) => active.getLine(y));
    const texts: string[] = [];
    for (const line of all) {
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped) texts.push(`${texts.pop() ?? ''}${text}`);
      else texts.push(text);
    }
    while (texts.at(-1) === '') texts.pop();
    return texts.map((text) => text.trimEnd());
  };
  return { terminal, stream, lines, settled: () => last };
}

/** Without the characters that mean something to a terminal. */
const text = fc.stringMatching(/^[a-z日本é ]{0,45}$/);
const command = fc.oneof(
  fc.record({ kind: fc.constant('print' as const), text: text.map((each) => each) }),
  fc.record({ kind: fc.constant('line' as const), text }),
  fc.record({ kind: fc.constant('status' as const), text }),
);

test('whatever is printed in pieces is there as one, with the status below it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
      const { stream, lines, settled } = createTerminal();
      const screen = new Screen(stream);
      let printed = '';
      for (const { kind, text: given } of commands) {
        if (kind === 'status') screen.setStatus(given);
        else {
          const piece = kind === 'line' ? `${given}\n` : given;
          screen.print(piece);
          printed += piece;
        }
      }
      screen.setStatus('STATUS');
      await settled();
      const wanted = printed.split('\n');
      if (wanted.at(-1) === '') wanted.pop();
      expect(lines()).toEqual([...wanted.map((line) => line.trimEnd()), 'STATUS']);
    }),
    { numRuns: 300 },
  );
});

test('lines of its own begin a row, also where the app has not ended one', async () => {
  const { stream, lines, settled } = createTerminal();
  const screen = new Screen(stream);
  screen.setStatus('STATUS');
  screen.print('one, ');
  screen.printLines('own\n');
  screen.print('two\n');
  await settled();
  expect(lines()).toEqual(['one,', 'own', 'two', 'STATUS']);
});

test('clearing leaves what was there above the screen, and the status in its first row', async () => {
  const { terminal, stream, lines, settled } = createTerminal();
  const screen = new Screen(stream);
  screen.setStatus('STATUS');
  screen.print('before\n');
  screen.clear();
  screen.print('behind\n');
  await settled();
  const { active } = terminal.buffer;
  expect(active.getLine(active.baseY)?.translateToString(true)).toBe('behind');
  expect(active.getLine(active.baseY + 1)?.translateToString(true)).toBe('STATUS');
  expect(lines()).toContain('before');
});

test('the status keeps to one row, and is gone at the end', async () => {
  const { stream, lines, settled } = createTerminal();
  const screen = new Screen(stream);
  screen.print('text\n');
  screen.setStatus('a status that is longer than the row');
  await settled();
  expect(lines()).toEqual(['text', 'a status that is l…']);
  screen.close();
  await settled();
  expect(lines()).toEqual(['text']);
});

test('a line without an end is not kept for ever', async () => {
  const { stream, settled } = createTerminal();
  let longest = 0;
  const screen = new Screen({
    ...stream,
    write(written: string) {
      longest = Math.max(longest, written.length);
      stream.write(written);
    },
  });
  for (let piece = 0; piece < 1_000; piece++) screen.print('x'.repeat(100));
  await settled();
  expect(longest).toBeLessThan(5_000);
});
