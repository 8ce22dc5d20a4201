/** The addons of docs/hooks.md, each opened and reloaded. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { open } from '../../../src/addon.ts';
import { createScratch, install, scriptedAddon } from '../../support/addons.ts';
import { blocksOf, readDocument } from './markdown.ts';

interface Total {
  add(n: number): number;
}

const blocks = blocksOf(readDocument('docs/hooks.md'));
const textOf = (name: string): string =>
  blocks.find(({ file }) => file === name)?.text ?? expect.fail(`there is no ${name}`);

/** What it says, and what becomes of it, when it is loaded twice. */
async function story(built: string): Promise<readonly unknown[]> {
  using scratch = createScratch();
  const target = scratch.file('total.node');
  install(built, target);
  const total = await open<Total>(target, { stageDir: scratch.file('stage') });
  const { add } = total.exports;
  const before = add(2);
  const report = await total.reload({ force: true });
  const after = [add(1), total.current.schema];
  await total.close();
  return [before, report.status === 'reloaded' && report.state, ...after];
}

describe('the addon of docs/hooks.md', () => {
  test('keeps its state as JavaScript', async () => {
    expect(await story(scriptedAddon(textOf('hooks.js')))).toEqual([2, 'carried', 3, 2]);
  });

  const rustc = spawnSync('rustc', ['--version'], { encoding: 'utf8' });
  const whyNot = rustc.status === 0 ? '' : ' (skipped: there is no rustc)';

  test.skipIf(whyNot !== '')(`keeps its state in Rust${whyNot}`, async () => {
    using scratch = createScratch();
    const source = scratch.write('total.rs', textOf('total.rs'));
    const [command = '', ...args] = (blocks.find(({ language }) => language === 'sh')?.text ?? '')
      .trim()
      .split(' ');
    expect([command, args.at(-1)]).toEqual(['rustc', 'total.rs']);
    const flags = [...args.slice(0, -1), '-D', 'warnings', source];
    const { status, stderr } = spawnSync(command, flags, { cwd: scratch.path, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(await story(scratch.file('total.node'))).toEqual([2, 'carried', 3, 1]);
  });

  test('says of each program in Rust whether it is compiled', () => {
    const rust = blocks.filter(({ language }) => language === 'rust').map(({ file }) => file);
    expect(rust).toEqual(['total.rs', null]);
    expect(readDocument('docs/hooks.md')).toContain('The tests do not compile this one');
  });
});
