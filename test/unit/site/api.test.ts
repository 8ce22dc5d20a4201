/** The reference: what can be imported, as its comments say it. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as library from '../../../src/index.ts';
import * as hot from '../../../src/hot.ts';
import { apiReference } from '../../../site/api.ts';
import { exportsOf } from '../../../site/declarations.ts';
import { createScratch } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';

const DECLARATIONS = `import type { Other } from './other.ts';
export { type Options, helper as assist } from './helper.ts';
/** A box of things. See {@link make} and {@link Hidden}. */
export declare class Box<T = unknown> {
    #private;
    /** @internal Use {@link make}. */
    constructor(shop: Other);
    /**
     * Takes one out.
     *
     * @param name - of the thing
     * @returns undefined when there is none
     * @throws {@link Hidden} when it is closed
     * @example
     * \`\`\`ts
     * box.take('a');
     * \`\`\`
     */
    take(name: string): T | undefined;
}
/** Makes a box. */
export declare function make(): Box;
export declare function make(size: number): Box<number>;
/** How it ended. */
export type Ending = 
/** It was good. */
'good' | 'bad';
`;
const HELPER = `export interface Options {
    /**
     * How long.
     *
     * @defaultValue 30
     */
    readonly waitMs?: number | undefined;
}
/** Helps. */
export declare const helper: string;
`;

describe('exportsOf', () => {
  test('reads declarations, those of other modules, and leaves out what is internal', () => {
    using scratch = createScratch();
    scratch.write('helper.d.ts', HELPER);
    const found = exportsOf(scratch.write('index.d.ts', DECLARATIONS));
    expect(found.map(({ name, kind }) => [name, kind])).toEqual([
      ['Options', 'interface'],
      ['assist', 'value'],
      ['Box', 'class'],
      ['make', 'function'],
      ['Ending', 'type'],
    ]);
    expect(found[2]?.members.map(({ name }) => name)).toEqual(['take']);
    expect(found[2]?.signatures).toEqual(['class Box<T = unknown>']);
    expect(found[3]).toMatchObject({
      comment: { text: 'Makes a box.' },
      signatures: ['function make(): Box;', 'function make(size: number): Box<number>;'],
    });
    expect(found[4]?.signatures).toEqual(["type Ending = \n/** It was good. */\n'good' | 'bad';"]);
  });

  test('says which name a module does not have', () => {
    using scratch = createScratch();
    scratch.write('a.d.ts', 'export declare const a: 1;');
    const file = scratch.write('index.d.ts', "export { b } from './a.ts';");
    expect(() => exportsOf(file)).toThrow(/^Wanted b in .*a\.d\.ts, found none$/);
  });

  test('refuses what is no TypeScript', () => {
    using scratch = createScratch();
    expect(() => exportsOf(scratch.write('index.d.ts', 'export declare ('))).toThrow(/^Cannot read .*index/);
  });
});

describe('apiReference', () => {
  test('says of each what its comment says', () => {
    using scratch = createScratch();
    scratch.write('helper.d.ts', HELPER);
    scratch.write('index.d.ts', DECLARATIONS);
    scratch.write('hot.d.ts', 'export {};');
    const text = apiReference(scratch.path);
    expect(text).toContain('A box of things. See [`make`](#make) and `Hidden`.');
    expect(text).toContain(`#### Box: take

\`\`\`ts
take(name: string): T | undefined;
\`\`\`

Takes one out.

- \`name\`: of the thing

**Returns** undefined when there is none

**Throws** \`Hidden\` when it is closed

\`\`\`ts
box.take('a');
\`\`\``);
    expect(text).toContain('| `waitMs?: number \\| undefined` | How long. **Default:** 30 |');
    expect(text).not.toContain('Other');
  });

  test.each(['index', 'hot'])('finds a sentence for each export of %s', (module) => {
    const exported = exportsOf(path.join(compiledSource(), `${module}.d.ts`));
    const silent = exported.filter(({ comment }) => comment.text === '').map(({ name }) => name);
    expect(silent).toEqual([]);
  });

  test('has all that can be imported', () => {
    const text = apiReference(compiledSource());
    const names = [...Object.keys(library), ...Object.keys(hot)].filter((name) => name !== 'default');
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(text).toContain(`\n### ${name}\n`);
  });
});
