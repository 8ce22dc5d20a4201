/** Private libraries that outlive the addon which brought them. */
import { expect, test } from 'vitest';
import { open } from '../../../src/index.ts';
import { createScratch } from '../../support/addons.ts';
import { type LibraryUser, LinkFolder, RUNPATH } from '../../support/libraries.ts';

/** A library that holds its own mapping. */
const unyielding = (version: number): string => `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  int library_version(void) { return ${version}; }
  __attribute__((constructor)) static void stay(void) {
    Dl_info info;
    if (dladdr((void*)library_version, &info)) dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }`;

test('a version is kept when a library of it does not let itself be unmapped', async () => {
  using scratch = createScratch();
  const built = new LinkFolder(scratch);
  built.library('libcore.so', unyielding(1));
  built.addon([...built.against('libcore.so'), ...RUNPATH]);
  await using addon = await open<LibraryUser>(scratch.file('addon.node'), {
    stageDir: scratch.file('stage'),
  });
  built.library('libcore.so', unyielding(2));
  expect(await addon.reload()).toMatchObject({
    retired: { outcome: 'kept', reason: expect.stringContaining('holds its mapping') },
  });
  expect(addon.exports.libraryVersion()).toBe(2);
});
