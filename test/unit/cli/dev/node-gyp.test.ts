/** `napi-reload dev` with the builder that most addons have: two addons in one project. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Terminal } from '../../../support/terminal.ts';
import { createProject, kernel, type Project } from './project.ts';

let project: Project;

beforeEach(() => {
  project = createProject();
  project.write('napi-reload.config.json', '{}');
  project.write(
    'binding.gyp',
    `{ 'targets': [
      { 'target_name': 'first', 'sources': ['kernel.c', 'more.c'] },
      { 'target_name': 'second', 'sources': ['second.c'] } ] }`,
  );
  project.write('more.c', 'int more(void) { return 1; }\n');
  project.write('second.c', kernel(10));
  project.write(
    'app.cjs',
    `console.log('pid', process.pid);
     const addons = ['first', 'second'].map((name) => require('./build/Release/' + name + '.node'));
     let last;
     setInterval(() => {
       const values = addons.map((addon) => addon.value()).join();
       if (values !== last) console.log('values', (last = values));
     }, 5);`,
  );
});

afterEach(() => project[Symbol.dispose]());

test('steps are counted while it builds, and only what has changed is a new version', async () => {
  await using terminal = new Terminal(project.dev('app.cjs'), { cwd: project.root, env: project.env });
  await terminal.untilOutput(/building \S+ \[\d\/\d\] \w+ /);
  await terminal.untilRow(/^values 1,10$/);
  await terminal.untilStatus(/^serving first v1, second v1 · watching · h for help$/);
  expect(terminal.rows.slice(1, 3)).toEqual([
    '[napi-reload] first, second in ., built by node-gyp',
    expect.stringMatching(/^\[napi-reload\] building /),
  ]);
  project.save('second.c', kernel(20));
  await terminal.untilRow(/^values 1,20$/);
  await terminal.untilStatus(/^serving first v1, second v2 · watching/);
  expect(terminal.rows).toContain('[napi-reload] second v2 serves, v1 was unloaded');
  expect(terminal.rows.find((row) => row.includes('in all'))).toMatch(
    /detect \d+, compile \d+, link \d+, stage/,
  );
  project.save('second.c', kernel('oops'));
  await terminal.untilStatus(/^serving first v1, second v2, the build of .* failed: second\.c:5: /);
  terminal.type('b');
  await terminal.untilRow(/^values 1,10$/);
  terminal.type('q');
  expect(await terminal.end).toEqual({ exitCode: 0 });
  project.expectNothingLeft([await terminal.pid]);
});

test('everything is compiled again by a key, and the app goes on meanwhile', async () => {
  await using terminal = new Terminal(project.dev('app.cjs'), { cwd: project.root, env: project.env });
  await terminal.untilStatus(/^serving first v1, second v1 · watching/);
  terminal.type('f');
  await terminal.untilRow(/, all of it$/);
  await terminal.untilOutput(/building .* CC more/);
  await terminal.untilRow(/second is unchanged, v1 serves$/);
  await terminal.untilStatus(/^serving first v1, second v1 · watching/);
});
