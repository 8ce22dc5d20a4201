/** The blocks of the pages, run in their order as a reader would run them. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Block, blocksOf, PAGES, readDocument } from './markdown.ts';
import { counterAddon, createProject, type Project } from './project.ts';

const isThere = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

/** Whatever a page calls an addon that it does not build itself. */
function provideAddons(project: Project, blocks: readonly Block[]): void {
  const text = blocks.map((block) => block.text).join('\n');
  const built = [...text.matchAll(/build\/Release\/\w+\.node/g)].map(([name]) => name);
  if (/require\('bindings'\)|\('bindings'\)/.test(text)) built.push('build/Release/kernel.node');
  for (const name of new Set(built)) {
    const file = path.join(project.path, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(counterAddon(), file);
  }
}

async function runBlock(project: Project, { language, text }: Block, index: number): Promise<string> {
  switch (language) {
    case 'sh':
      return project.run('bash', ['-euo', 'pipefail', '-c', text]);
    case 'js':
      project.write(`block-${index}.mjs`, text);
      return project.run('node', [`block-${index}.mjs`]);
    default:
      throw new Error(`Wanted a block of sh or js to run, found ${language}`);
  }
}

const pages = PAGES.map((name) => ({ name, blocks: blocksOf(readDocument(name)) })).filter(({ blocks }) =>
  blocks.some(({ runs }) => runs),
);

test('most pages have something to run', () => {
  expect(pages.length).toBeGreaterThan(7);
});

describe.each(pages)('$name', ({ name, blocks }) => {
  const needed = [...new Set(blocks.flatMap(({ needs }) => (needs === null ? [] : [needs])))];
  const missing = needed.filter((program) => !isThere(program));
  const without = missing.length === 0 ? '' : ` (but for what needs ${missing.join(', ')})`;

  test(`prints what it says${without}`, async () => {
    using project = createProject(name);
    provideAddons(project, blocks);
    for (const [index, block] of blocks.entries()) {
      if (!block.runs || (block.needs !== null && missing.includes(block.needs))) continue;
      const printed = await runBlock(project, block, index);
      const shown = blocks[index + 1];
      if (shown?.isOutput) expect(printed, block.text).toBe(shown.text);
    }
  });
});
