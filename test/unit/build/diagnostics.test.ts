import { expect, test } from 'vitest';
import { ERRORS_MAX, parseDiagnostics } from '../../../src/build/diagnostics.ts';
import { splitLines } from '../../../src/build/lines.ts';

function parse(text: string): unknown[] {
  const parser = parseDiagnostics('/project/build');
  const lines = splitLines((line) => parser.line(line));
  lines.push(text);
  lines.end();
  return parser.result().map((d) => [d.file, d.line, d.column, d.severity, d.text]);
}

const cases: Record<string, readonly [text: string, ...found: unknown[][]]> = {
  'an error with its column': [
    "../src/kernel.cc:3:26: error: expected ';' before '}' token",
    ['/project/src/kernel.cc', 3, 26, 'error', "expected ';' before '}' token"],
  ],
  'a warning without a column': [
    '/usr/include/x.h:7: warning: odd',
    ['/usr/include/x.h', 7, 0, 'warning', 'odd'],
  ],
  'a header that is missing, and no word of the code that is shown': [
    '../a b/x.c:1:10: fatal error: y.h: No such file or directory\n    1 | #include "y.h" // x.c:1:1: error: quoted\ncompilation terminated.',
    ['/project/a b/x.c', 1, 10, 'fatal error', 'y.h: No such file or directory'],
  ],
  'a note and colours': [
    '\x1b[01m\x1b[K../x.c:1:2:\x1b[m\x1b[K \x1b[01;36m\x1b[Knote: \x1b[m\x1b[Khere\r',
    ['/project/x.c', 1, 2, 'note', 'here'],
  ],
  'an internal compiler error': [
    '../x.c:9:1: internal compiler error: in cp_parser',
    ['/project/x.c', 9, 1, 'fatal error', 'in cp_parser'],
  ],
  'an undefined reference in a source that is known': [
    "/usr/bin/ld: Release/k.o: in function `foo':\n/project/build/../u.c:1: undefined reference to `bar'\ncollect2: error: ld returned 1 exit status",
    ['/project/u.c', 1, 0, 'error', "undefined reference to `bar'"],
  ],
  'an undefined reference in an object file': [
    "/usr/bin/ld: Release/k.o: in function `foo':\nu.c:(.text+0x5): undefined reference to `bar'",
    ['/project/build/Release/k.o', 0, 0, 'error', "undefined reference to `bar'"],
  ],
  'a library that is missing': [
    '/usr/bin/ld: cannot find -lzork: No such file or directory',
    ['/project/build', 0, 0, 'error', 'cannot find -lzork: No such file or directory'],
  ],
  'an object that cannot be linked': [
    '/usr/bin/ld: Release/k.o: relocation R_X86_64_32 against `.rodata` can not be used; recompile with -fPIC',
    [
      '/project/build/Release/k.o',
      0,
      0,
      'error',
      'relocation R_X86_64_32 against `.rodata` can not be used; recompile with -fPIC',
    ],
  ],
  'a source that is missing, in words of the driver and of make': [
    "cc1: fatal error: no.c: No such file or directory\nmake: *** No rule to make target '../src/none.c', needed by 'k.o'.  Stop.",
    ['/project/build/no.c', 0, 0, 'fatal error', 'No such file or directory'],
    ['/project/src/none.c', 0, 0, 'error', "No rule to make target '../src/none.c', needed by 'k.o'"],
  ],
  'paths from the folder that make is in': [
    "make[1]: Entering directory '/other/deep'\nx.c:1:1: error: there\nmake[1]: Leaving directory '/other/deep'\nx.c:1:1: error: here",
    ['/other/deep/x.c', 1, 1, 'error', 'there'],
    ['/project/build/x.c', 1, 1, 'error', 'here'],
  ],
  'a CMake error whose text is on the next line': [
    'CMake Error at CMakeLists.txt:3 (find_package):\n  By not providing "FindZork.cmake"\n\n  more of it\n',
    ['/project/build/CMakeLists.txt', 3, 0, 'error', 'find_package: By not providing "FindZork.cmake"'],
  ],
  'a syntax error in a gyp file': [
    'Traceback (most recent call last):\n  File "/gyp/input.py", line 237, in Load\n  File "binding.gyp", line 3\n    \'x\': 1\n       ^\nSyntaxError: invalid syntax',
    ['/project/build/binding.gyp', 3, 0, 'error', 'SyntaxError: invalid syntax'],
  ],
  'a gyp error that names its file, and one that does not': [
    "gyp: name 'OSS' is not defined in binding.gyp while trying to load binding.gyp\ngyp: Undefined variable x",
    ['/project/build/binding.gyp', 0, 0, 'error', "gyp: name 'OSS' is not defined"],
    ['/project/build', 0, 0, 'error', 'gyp: Undefined variable x'],
  ],
  'a Python that is missing': [
    'gyp ERR! find Python You need to install it\ngyp ERR! stack Error: Could not find any Python installation to use\ngyp ERR! not ok',
    ['/project/build', 0, 0, 'fatal error', 'Could not find any Python installation to use'],
  ],
  nothing: ['  CC(target) Release/k.o\ngyp info ok\nhttp://host:80: error\n12:30:00 start'],
};

test.each(Object.entries(cases))('the parser finds %s', (_, [text, ...found]) => {
  expect(parse(text)).toEqual(found);
});

test('the parser gives the same for any cut of the text into pieces', () => {
  const text = Object.values(cases)
    .map(([part]) => part)
    .join('\n');
  const parser = parseDiagnostics('/project/build');
  const lines = splitLines((line) => parser.line(line));
  for (const character of text) lines.push(character);
  lines.end();
  expect(parser.result().map((d) => [d.file, d.line, d.column, d.severity, d.text])).toEqual(parse(text));
});

test('the parser keeps errors when warnings alone are too many', () => {
  const warnings = 'x.c:1:1: warning: w\n'.repeat(10_000);
  const found = parse(`${warnings}${'x.c:1:1: error: e\n'.repeat(ERRORS_MAX + 5)}`);
  expect(found.filter((d) => Array.isArray(d) && d[3] === 'error')).toHaveLength(ERRORS_MAX);
});
