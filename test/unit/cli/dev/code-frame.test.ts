/** Carets below the place that a compiler means, for messages of real ones. */
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseDiagnostics } from '../../../../src/build/diagnostics.ts';
import { behind, clip, expandTabs, widthOf } from '../../../../src/cli/dev/cells.ts';
import { codeFrame } from '../../../../src/cli/dev/code-frame.ts';
import type { Diagnostic } from '../../../../src/diagnostic.ts';
import { createScratch, type Scratch } from '../../../support/addons.ts';

let scratch: Scratch;

beforeEach(() => {
  scratch = createScratch();
});

afterEach(() => scratch[Symbol.dispose]());

/** What a compiler says first of a source. */
function firstMessage(compiler: string, source: string): Diagnostic {
  scratch.write('a.c', source);
  const env = { ...process.env, LC_ALL: 'C.UTF-8' };
  const { stderr } = spawnSync(compiler, ['-fsyntax-only', 'a.c'], {
    cwd: scratch.path,
    env,
    encoding: 'utf8',
  });
  const parser = parseDiagnostics(scratch.path);
  for (const line of stderr.split('\n')) parser.line(line);
  const [first] = parser.result();
  if (first === undefined) throw new Error(`No message in ${stderr}`);
  return first;
}

/** Whether this machine has it. */
const hasClang = spawnSync('clang', ['--version']).status === 0;

describe.each(['gcc', 'clang'])('of %s, the caret', (compiler) => {
  test.skipIf(compiler === 'clang' && !hasClang).each([
    ['plain text', 'int f(void) { return oops; }'],
    ['tabs', 'int f(void) {\treturn\t\toops; }'],
    ['wide characters', 'int f(void) { const char *s = "日本語"; return oops; }'],
    ['emoji and tabs', '\tint f(void) { const char *s = "👩‍💻😀"; return oops; }'],
    ['letters of two bytes', 'int f(void) { const char *s = "äöüß"; return oops; }'],
  ])('is below the name, behind %s', (_, line) => {
    const rows = codeFrame(firstMessage(compiler, `\n${line}\n`), 120);
    const meant = rows.find(({ kind }) => kind === 'meant');
    const caret = rows.find(({ kind }) => kind === 'caret');
    const at = widthOf(caret?.text.replace('^', '') ?? '');
    expect(meant?.text).not.toContain('\t');
    expect(behind(meant?.text ?? '', at)).toMatch(/^oops; }/);
  });
});

const at = (line: number, column: number, file = scratch.file('a.c')): Diagnostic => ({
  ...{ file, line, column },
  severity: 'error',
  text: 'wrong',
});
const shown = (diagnostic: Diagnostic, columns = 80): readonly string[] =>
  codeFrame(diagnostic, columns).map(({ gutter, text }) => `${gutter}${text}`);

test('a frame has the lines around the place, with numbers in one column', () => {
  scratch.write('a.c', Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join('\n'));
  expect(shown(at(10, 3))).toEqual(['   9 | line 9', '> 10 | line 10', '     |   ^', '  11 | line 11']);
  expect(shown(at(1, 0))).toEqual(['> 1 | line 1', '  2 | line 2']);
  expect(shown(at(12, 1))).toEqual(['  11 | line 11', '> 12 | line 12', '     | ^']);
});

test('of a long line, the part around the place is shown', () => {
  scratch.write('a.c', `${'x '.repeat(200)}HERE${' y'.repeat(200)}`);
  const [meant, caret] = shown(at(1, 401), 60);
  expect(meant).toMatch(/^> 1 \| .*HERE.*…$/);
  expect(widthOf(meant ?? '')).toBeLessThanOrEqual(60);
  expect(caret?.indexOf('^')).toBe(meant?.indexOf('HERE'));
});

test.each([
  ['a file that is not there', () => at(1, 1, scratch.file('none.c'))],
  ['a folder', () => at(1, 1, scratch.path)],
  ['a line that is not there', () => at(99, 1)],
  ['no line at all', () => at(0, 0)],
])('there is no frame for %s', (_, diagnostic) => {
  scratch.write('a.c', 'one line\n');
  expect(codeFrame(diagnostic(), 80)).toEqual([]);
});

test('cells are counted as terminals do', () => {
  expect(clip('a long text', 6)).toBe('a lon…');
  expect(clip('日本語', 5)).toBe('日本…');
  expect(clip('日本語', 6)).toBe('日本語');
  expect(clip('‘oops’ undeclared', 9)).toBe('‘oops’ u…');
  expect(clip('text', 0)).toBe('');
  expect(behind('日本語', 1)).toBe(' 本語');
  expect(behind('日本語', 2)).toBe('本語');
  expect(behind('abc', 9)).toBe('');
  expect(expandTabs('a\tb\t\tc')).toBe(`a${' '.repeat(7)}b${' '.repeat(15)}c`);
});
