import { expect, test } from 'vitest';
import { leadingIncludes } from '../../../src/build/fast/prefix.ts';

test.each([
  ['#include <napi.h>\n#include "x.h" // why\nint a;\n#include <b>', ['<napi.h>', '"x.h"']],
  ['// a\n/* b\n#include <no.h>\n*/\n#  include <yes.h>\n', ['<yes.h>']],
  ['#include <a>\r\n#include <b>\r\n', ['<a>', '<b>']],
  ['#pragma once\n#include <a>', ['<a>']],
  ['#include <a>\n#define NAPI_VERSION 8\n#include <napi.h>', ['<a>']],
  ['#ifdef X\n#include <a>\n#endif', []],
  ['#include <a>\n#if 1\n#include <b>\n#endif', ['<a>']],
  ['#include HEADER\n#include <a>', []],
  ['// goes on \\\n#include <a>\n', []],
  ['#include <a> \\\n\n', []],
  ['using x = int;\n#include <a>', []],
])('a source that begins with %j', (text, includes) => {
  expect(leadingIncludes(text, false)).toEqual(includes);
});

test('a header may begin with its guard, and with no other definition', () => {
  expect(leadingIncludes('#ifndef K_H\n#define K_H\n#include <a>\n', true)).toEqual(['<a>']);
  expect(leadingIncludes('#ifndef K_H\n#define K_H 1\n#include <a>\n', true)).toEqual([]);
  expect(leadingIncludes('#ifndef K_H\n#define K_H\n#ifndef A\n#define A\n#include <a>\n', true)).toEqual([]);
  expect(leadingIncludes('#ifndef A\n#define A\n#endif\n#include <a>\n', true)).toEqual([]);
  expect(leadingIncludes('#ifndef K_H\n#define K_H\n#include <a>\n', false)).toEqual([]);
});
