/** The examples in the comments of what can be imported: their types fit, as do those of the pages, and they run. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportsOf } from '../../../site/declarations.ts';
import { tagsOf } from '../../../site/doc-comment.ts';
import { scriptedAddon } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';
import { blocksOf, PAGES, readDocument, ROOT } from './markdown.ts';
import { createProject, type Project } from './project.ts';

const KERNEL = `
exports.dot = (a, b) => a.reduce((sum, value, index) => sum + value * b[index], 0);
exports.scale = (values, factor) => values.forEach((value, index) => (values[index] = value * factor));
exports.mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
exports.Counter = class Counter {
  constructor(value) { this.value = value; }
  add(n) { return (this.value += n); }
};`;

const GROUP = "const group = await openGroup({ core: { file: 'build/Release/core.node' } });";

/** What stands around an example in a program. */
const AROUND: Readonly<Record<string, readonly [before: string, after?: string]>> = {
  'Addon.off': ["const kernel = await open('build/Release/kernel.node');"],
  'Addon.on': ["const kernel = await open('build/Release/kernel.node');"],
  'Addon.once': ["const kernel = await open('build/Release/kernel.node');"],
  'Addon.reload': ["const kernel = await open('build/Release/kernel.node');"],
  'Addon.rollback': [
    "const kernel = await open('build/Release/kernel.node');\nawait kernel.reload({ force: true });",
  ],
  'Addon.allocate': [
    "const kernel = await open<{ scale(values: Float64Array, factor: number): void }>('build/Release/kernel.node');",
  ],
  'AddonGroup.off': [GROUP],
  'AddonGroup.on': [GROUP],
  'AddonGroup.once': [GROUP],
  AskForMemory: [
    'const hooks: { init(context: Pick<HookContext, "memory">): void } = {',
    '};\nhooks.init({ memory: (_, byteLength) => new Uint8Array(byteLength) });',
  ],
  createHot: ['let stream = { window: {}, close() {} };\nconst openStream = (_: unknown) => stream;'],
  getAddon: ["import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);"],
  isReloadError: ['const error: unknown = null;'],
  openGroup: ['interface Core { add(n: number): number }\ninterface Search { add(n: number): number }'],
  Remote: [
    'interface Kernel { mean(values: Float64Array): number; Counter: new (value: number) => { add(n: number): number } }',
  ],
  ReloadError: ["const kernel = await open('build/Release/kernel.node');"],
};

const modules = ['index', 'hot'].map((module) => exportsOf(path.join(compiledSource(), `${module}.d.ts`)));
const examples = modules.flat().flatMap(({ name, comment, members }) =>
  [
    { owner: name, comment },
    ...members.map((member) => ({ owner: `${name}.${member.name}`, ...member })),
  ].flatMap((documented) =>
    tagsOf(documented.comment, 'example')
      .flatMap(blocksOf)
      .filter(({ language }) => language !== 'python')
      .map(({ text }) => ({ owner: documented.owner, text })),
  ),
);

/** These build, and so have a project with sources. */
const BUILDING = ['open', 'openGroup'];

function programOf(owner: string, text: string): string {
  const [before = '', after = ''] = AROUND[owner] ?? [];
  const program = [before, text, after].join('\n');
  const isImported = ({ name }: { readonly name: string }): boolean =>
    new RegExp(`\\b${name}\\b`).test(program) && !new RegExp(`(?:const|import \\{) ${name}\\b`).test(program);
  const imports = modules.map((declarations, index) => {
    const names = declarations.filter(isImported).map(({ name }) => name);
    return `import { ${names.join(', ')} } from 'napi-reload${index === 0 ? '' : '/hot'}';`;
  });
  // A watch would go on.
  return [...imports, program, 'setImmediate(() => process.exit());'].join('\n');
}

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules/@types')],
    skipLibCheck: true,
  },
  include: ['*.ts', 'pages/*.ts'],
};

function writeExamples(project: Project): void {
  project.write('package.json', '{ "private": true, "type": "module" }');
  project.write('tsconfig.json', JSON.stringify(TSCONFIG));
  project.write('kernel.d.ts', 'export declare function add(n: number): number;');
  // In a folder of its own, where no example finds it.
  for (const { file, text } of PAGES.flatMap((name) => blocksOf(readDocument(name)))) {
    if (file?.endsWith('.ts')) project.write(`pages/${file}`, text);
  }
  for (const [index, { owner, text }] of examples.entries()) {
    project.write(`example-${index}.ts`, programOf(owner, text));
  }
}

let project: Project;

beforeAll(async () => {
  project = createProject();
  writeExamples(project);
  await project.run('node', [path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.']);
  for (const name of ['kernel', 'core']) {
    project.write(`build/Release/${name}.node`, '');
    fs.copyFileSync(scriptedAddon(KERNEL), path.join(project.path, `build/Release/${name}.node`));
  }
});
afterAll(() => project[Symbol.dispose]());

test('there are examples, and each frame here is of one', () => {
  const owners = examples.map(({ owner }) => owner);
  expect(owners.length).toBeGreaterThan(15);
  expect(owners).toEqual(expect.arrayContaining([...Object.keys(AROUND), ...BUILDING]));
});

test.each(examples.map(({ owner }, index) => ({ owner, index })))(
  'the example of $owner runs',
  async ({ owner, index }) => {
    const name = `example-${index}.js`;
    if (!BUILDING.includes(owner)) {
      await project.run('node', [name]);
      return;
    }
    using building = createProject('docs/recipes.md');
    building.write('package.json', '{ "private": true, "type": "module" }');
    building.write(name, fs.readFileSync(path.join(project.path, name), 'utf8'));
    const targets = ['kernel', 'core', 'search'].map((target) => ({
      target_name: target,
      sources: ['total.c'],
      include_dirs: ['<!(node -p "require(\'napi-reload\').include_dir")'],
    }));
    building.write('binding.gyp', JSON.stringify({ targets }));
    await building.run('node', [name]);
  },
);
