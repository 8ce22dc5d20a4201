import { expect, test } from 'vitest';
import { parseDepfile } from '../../../src/build/depfiles.ts';
import { readRegenerationRule } from '../../../src/build/gyp-files.ts';

test('a depfile of gyp gives each prerequisite once, and none of the command in its first line', () => {
  const text = `cmd_Release/k.o := cc -o Release/k.o ../k.c -DX=: y.h
Release/k.o: ../k.c \\
 /usr/include/node/node_api.h \\
 ../a\\ b/c\\#1.h ../$$x.h
../k.c:
/usr/include/node/node_api.h:
`;
  expect(parseDepfile(text)).toEqual(['../k.c', '/usr/include/node/node_api.h', '../a b/c#1.h', '../$x.h']);
});

test('an empty depfile gives nothing', () => {
  expect(parseDepfile('')).toEqual([]);
});

test('a Makefile tells what it was made of, and one that was cut off does not', () => {
  const makefile = 'srcdir := ..\nall:\nMakefile: $(srcdir)/binding.gyp $(srcdir)/../x\\ y.gypi\n\techo\n';
  expect(readRegenerationRule(makefile)).toEqual(['../binding.gyp', '../../x y.gypi']);
  expect(readRegenerationRule('srcdir := ..\nall:\n')).toBeNull();
});
