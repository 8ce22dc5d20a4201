import { expect, test } from 'vitest';
import { readCompilerLine } from '../../../src/build/compiler-lines.ts';
import { readStep } from '../../../src/build/progress.ts';
import { splitShellWords } from '../../../src/build/shell-words.ts';
import { Steps } from '../../../src/build/steps.ts';

test.each([
  [
    '  CXX(target) Release/obj.target/kernel/src/kernel.o',
    { step: 'CXX kernel', kind: 'compile', hasEnded: false },
  ],
  [
    '  SOLINK_MODULE(target) Release/obj.target/k.node',
    { step: 'SOLINK_MODULE k.node', kind: 'link', hasEnded: false },
  ],
  ['  COPY Release/k.node', { step: 'COPY k.node', kind: 'link', hasEnded: false }],
  ['  ACTION gen.h', { step: 'ACTION gen.h', kind: 'other', hasEnded: false }],
  [
    '[4/9] Building CXX object CMakeFiles/kernel.dir/src/kernel.cc.o',
    { step: 'CXX kernel.cc', kind: 'compile', hasEnded: true, done: 4, total: 9 },
  ],
  [
    '[9/9] Linking CXX shared module Release/k.node',
    { step: 'LINK k.node', kind: 'link', hasEnded: true, done: 9, total: 9 },
  ],
  [
    '[ 50%] Building C object CMakeFiles/kernel.dir/a.c.o',
    { step: 'CC a.c', kind: 'compile', hasEnded: false, done: 50, total: 100 },
  ],
  ['[2/3] Generating x.h', { step: 'Generating x.h', kind: 'other', hasEnded: true, done: 2, total: 3 }],
  [
    '   Compiling kernel v0.1.0 (/src/kernel)',
    { step: 'Compiling kernel', kind: 'compile', hasEnded: false },
  ],
  [
    'ccache g++-12 \'-DA="b c"\' -c -o k.o ../src/k.cc',
    { step: 'CXX k.cc', kind: 'compile', hasEnded: false },
  ],
  ['/usr/bin/cc -shared -o out/k.node k.o', { step: 'LINK k.node', kind: 'link', hasEnded: false }],
  ['[100%] Built target kernel', null],
  ['g++: error: nope.cc: No such file or directory', null],
  ['src/kernel.cc:3:1: error: expected }', null],
])('%s', (line, step) => expect(readStep(line)).toEqual(step));

test('the words of a command are those that the shell makes of it', () => {
  expect(splitShellWords(`g++ '-DA="b c"' "-DB=\\"x\\"" a\\ b ''`)).toEqual([
    'g++',
    '-DA="b c"',
    '-DB="x"',
    'a b',
    '',
  ]);
  for (const line of ['a && b', 'a > b', 'a $(b)', "a 'b", 'a "b']) expect(splitShellWords(line)).toBeNull();
});

test('a source is told from values of options that look like one, and C from C++', () => {
  const found = readCompilerLine('gcc -include first.c -MF x.c -o k.o -c real.c');
  expect(found).toMatchObject({ kind: 'compile', file: 'real.c', isCxx: false });
  expect(readCompilerLine(`g++ -c ${'x'.repeat(9_000)}.cc`)).toBeNull();
});

test('steps without a count are counted up to the number that was planned, and time goes to the part it was for', () => {
  let nowMs = 0;
  const steps = new Steps(() => nowMs, 2);
  const line = (text: string, atMs: number) => {
    nowMs = atMs;
    return steps.line(text);
  };
  expect(line('  CXX(target) a.o', 10)).toEqual({ step: 'CXX a', done: 1, total: 2 });
  expect(line('a warning', 20)).toBeNull();
  expect(line('  SOLINK_MODULE(target) k.node', 110)).toEqual({
    step: 'SOLINK_MODULE k.node',
    done: 2,
    total: 2,
  });
  expect(line('  COPY k.node', 120)).toEqual({ step: 'COPY k.node' });
  nowMs = 130;
  expect(steps.end()).toEqual({ compile: 100, link: 20 });
});

test('a step that is told when it has ended gets the time before it', () => {
  let nowMs = 0;
  const steps = new Steps(() => nowMs, null);
  for (const [text, atMs] of [
    ['[1/2] Building CXX object a.cc.o', 70],
    ['[2/2] Linking CXX shared module k.node', 80],
  ] as const) {
    nowMs = atMs;
    expect(steps.line(text)).toMatchObject({ total: 2 });
  }
  nowMs = 81;
  expect(steps.end()).toEqual({ compile: 70, link: 11 });
});
