/** What is said of a shim that could not be compiled, by what tools print: lines of their own, as they were seen. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { explainFailure } from '../../src/shim/compile-failure.ts';
import { createScratch, type Scratch } from '../support/addons.ts';

const ENDING = 'node-gyp ended with code 1';
const { PATH } = process.env;
let scratch: Scratch;

beforeEach(() => {
  scratch = createScratch();
  process.env['PATH'] = scratch.path;
});
afterEach(() => {
  process.env['PATH'] = PATH;
  scratch[Symbol.dispose]();
});

test.each([
  [
    'gyp ERR! find Python You need to install the latest version of Python.\nCould not find any Python installation to use',
    'node-gyp found no Python',
  ],
  ['gyp ERR! stack Error: not found: make', 'node-gyp found no make'],
  ['make: g++: No such file or directory', 'make found no g++'],
  ['/bin/sh: 1: c++: not found', 'make found no c++'],
  [
    'gyp ERR! stack FetchError: request to https://nodejs.org/ failed, reason: getaddrinfo EAI_AGAIN nodejs.org',
    'the headers of Node.js could not be downloaded (getaddrinfo EAI_AGAIN nodejs.org)',
  ],
  [
    '../native/hash.cc:3:10: fatal error: span: No such file or directory\n',
    'the compiler said "../native/hash.cc:3:10: fatal error: span: No such file or directory"',
  ],
  ['/tmp/ccX.s: Fatal error: No space left on device', /^there is no room left in \S+$/],
  ['gyp ERR! something else', ENDING],
])('%j', (output, found) => {
  expect(explainFailure(output, ENDING)).toEqual({
    found: typeof found === 'string' ? found : expect.stringMatching(found),
    advice: expect.stringContaining('run "npx napi-reload setup"'),
  });
});

test.each([
  ['apt-get', '"apt-get install python3 make g++"'],
  ['dnf', '"dnf install python3 make gcc-c++"'],
  ['pacman', '"pacman -S python make gcc"'],
])('the advice is for a system that has %s', (program, command) => {
  scratch.write(program, '');
  expect(explainFailure('not found: make', ENDING).advice).toContain(command);
});

test('the advice names no installer where none is known', () => {
  expect(explainFailure('not found: make', ENDING).advice).toMatch(
    /^install python3, make and a C\+\+17 compiler, and/,
  );
});
