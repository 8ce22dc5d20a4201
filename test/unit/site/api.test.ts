/** The reference: what can be imported or included, as its comments say it. */
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import * as library from '../../../src/index.ts';
import * as hot from '../../../src/hot.ts';
import * as testing from '../../../src/testing/testing.ts';
import { apiReference, packageExports } from '../../../site/api.ts';
import { type Declaration, exportsOf, publicNames } from '../../../site/declarations.ts';
import { readHeader } from '../../../site/headers.ts';
import { createScratch, type Scratch } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';
import { readDocument, ROOT } from '../docs/markdown.ts';

const DECLARATIONS = `import { Other, type Place } from './other.ts';
import type { Native } from './other.ts';
export { type Options, helper as assist } from './helper.ts';
export type { Native as Pin } from './other.ts';
/** A box of things. See {@link make}, {@link Options.waitMs}, {@link Box.take} and {@link Hidden}. */
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
/** Where it ended. */
export interface Ended extends Place, Iterable<Native> {
    /** How it moves. */
    readonly how: Other['name'];
    /** What made it. */
    readonly tool: (typeof TOOLS)[number];
    /** Which things. */
    readonly things: {
        /** Those that came. */
        readonly added: readonly Native[];
    };
    /** What else. */
    readonly other: Other;
}
declare const TOOLS: readonly ["saw", "file"];
export default make;
`;
const OTHER = `export type Other = {
    readonly name: 'fast';
} | {
    readonly name: 'slow';
    /** Where. */
    readonly at: Inner;
};
type Inner = 1 | 2;
/** @internal */
export interface Place {
    /** The room. */
    readonly room: Native;
}
/** What holds it. */
export interface Native {
    /** How many. */
    readonly count: number;
}
`;
const HELPER = `export interface Options {
    /**
     * How long.
     *
     * @defaultValue 30
     */
    readonly waitMs?: number | undefined;
    /** Which. @defaultValue ['**\\/a/**', 'b'] */
    readonly which?: readonly string[];
    /** Who, such as a@b. @defaultValue 'one': nobody @throws \`ERR_A\` */
    readonly who?: string;
    /** Where. @defaultValue what \`who\` says */
    readonly where?: string;
}
/** Helps. */
export declare const helper: string;
`;

function scratchOf(): Scratch {
  const scratch = createScratch();
  scratch.write('helper.d.ts', HELPER);
  scratch.write('other.d.ts', OTHER);
  scratch.write('index.d.ts', DECLARATIONS);
  return scratch;
}

describe('exportsOf', () => {
  test('reads declarations, those of other modules, and leaves out what is internal', () => {
    using scratch = scratchOf();
    const found = exportsOf(scratch.file('index.d.ts'));
    expect(found.map(({ name, kind }) => [name, kind])).toEqual([
      ['Options', 'interface'],
      ['assist', 'value'],
      ['Pin', 'interface'],
      ['Box', 'class'],
      ['make', 'function'],
      ['Ending', 'type'],
      ['Ended', 'interface'],
    ]);
    expect(found[3]?.members.map(({ name }) => name)).toEqual(['take']);
    expect(found[3]?.signatures).toEqual(['class Box<T = unknown>']);
    expect(found[4]).toMatchObject({
      comment: { text: 'Makes a box.' },
      signatures: ['function make(): Box;', 'function make(size: number): Box<number>;'],
    });
    expect(found[5]?.signatures).toEqual(["type Ending = \n/** It was good. */\n'good' | 'bad';"]);
  });

  test('writes types by the names that can be imported, and what has none as what it is', () => {
    using scratch = scratchOf();
    const found = exportsOf(scratch.file('index.d.ts'));
    expect(found.find(({ name }) => name === 'Pin')?.signatures).toEqual(['interface Pin']);
    const ended = found.find(({ name }) => name === 'Ended');
    expect(ended?.signatures).toEqual(['interface Ended extends Iterable<Pin>']);
    expect(ended?.members.map(({ name, signature }) => [name, signature])).toEqual([
      ['how', "readonly how: 'fast' | 'slow';"],
      ['tool', "readonly tool: 'saw' | 'file';"],
      ['things', 'readonly things: { … };'],
      ['things.added', 'readonly things.added: readonly Pin[];'],
      ['other', 'readonly other: Other;'],
      ['room', 'readonly room: Pin;'],
    ]);
    expect(ended?.hidden.map(({ name }) => name)).toEqual(['Other', 'Inner']);
    expect(ended?.hidden[1]?.text).toBe('type Inner = 1 | 2;');
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
  const entries = { '.': { types: './dist/index.d.ts' }, './hot': { types: './dist/hot.d.ts' } };

  test('says of each what its comment says', () => {
    using scratch = scratchOf();
    scratch.write('hot.d.ts', "export { make } from './index.ts';");
    const text = apiReference(scratch.path, entries);
    expect(text).toContain(
      'A box of things. See [`make`](#make), [`Options.waitMs`](#options), [`Box.take`](#box-take) and `Hidden`.',
    );
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
    expect(text).toContain('| `waitMs?: number \\| undefined` | How long. **Default:** `30` |');
    expect(text).toContain('As in [napi-reload](#napi-reload): [make](#make)');
  });

  test('reads tags within a line, and shows a default as code', () => {
    using scratch = scratchOf();
    const text = apiReference(scratch.path, { '.': entries['.'] });
    expect(text).toContain("| Which. **Default:** `['**/a/**', 'b']` |");
    expect(text).toContain("| Who, such as a@b. **Default:** `'one'`: nobody **Throws** `ERR_A` |");
    expect(text).toContain('| Where. **Default:** what `who` says |');
  });

  test('wants words for each entry point', () => {
    using scratch = scratchOf();
    const added = { './new': { types: './dist/index.d.ts' } };
    expect(() => apiReference(scratch.path, added)).toThrow(
      'Wanted words for the entry point ./new, found none',
    );
    expect(() => apiReference(scratch.path, { './more/*': './more/*' })).toThrow(
      'Wanted headers of the entry point ./more/*, found none',
    );
  });
});

describe('docs/api.md', () => {
  const text = readDocument('docs/api.md');
  let declared: readonly Declaration[];

  beforeAll(() => {
    const files = Object.values(packageExports()).flatMap((at) =>
      typeof at === 'string' ? [] : [path.join(compiledSource(), path.relative('dist', at.types))],
    );
    const names = publicNames(files);
    declared = files.flatMap((file) => exportsOf(file, names));
  });

  test('is that of the comments there are', () => {
    expect(text, 'npm run documents writes it').toBe(apiReference(compiledSource()));
  });

  test('has all that can be imported, of each entry point', () => {
    const exported = [library, hot, testing].flatMap((module) => Object.keys(module));
    const names = [...exported, ...declared.map(({ name }) => name)].filter((name) => name !== 'default');
    expect(names.length).toBeGreaterThan(100);
    for (const name of names) expect(text).toContain(`\n### ${name}\n`);
    for (const [entry, at] of Object.entries(packageExports())) {
      if (typeof at !== 'string') expect(text).toContain(`\n## napi-reload${entry.slice(1)}\n`);
    }
  });

  test('has no tag as it stands in a comment', () => {
    expect(text).not.toMatch(/@(?:defaultValue|throws|param|returns|example|internal)\b|\{@/);
  });

  test('finds a sentence for each export, and for each member', () => {
    const all = declared.flatMap(({ name, comment, members }) => [
      { name, comment },
      ...members.map((member) => ({ name: `${name}.${member.name}`, comment: member.comment })),
    ]);
    expect(all.length).toBeGreaterThan(400);
    expect(all.filter(({ comment }) => comment.text === '').map(({ name }) => name)).toEqual([]);
    expect(text).not.toMatch(/\|\s*\|$/m);
  });

  test('leaves no way through a name that nobody can import', () => {
    expect(text).not.toMatch(/typeof [A-Z_]+\b/);
    expect(text).not.toMatch(/NativePin|ReportBase|CheckPlace|VersionState/);
    expect(text).toContain("type BuildTool = 'node-gyp' | 'cmake-js' | 'ninja' | 'make';");
    expect(text).toContain('interface InstanceCounts {');
  });

  test('has what the headers declare', () => {
    for (const name of [
      'napi_reload_define',
      'napi_reload_get_memory',
      'napi_reload::Hooks',
      'napi_reload::Memory',
    ])
      expect(text).toContain(`\n### ${name}\n`);
    expect(text).not.toMatch(/^### \S+_$/m);
  });
});

describe('readHeader', () => {
  test('leaves out bodies, what is private, and names for nobody', () => {
    const { about, items } = readHeader(`// a.hpp: makes boxes.
//
//   Box box(1);
//
// Cheap.
#ifndef A_HPP_
#define A_HPP_

// A bound.
#ifndef A_MAX
#define A_MAX 8
#endif

// A box.
template <typename T>
class Box {
  static_assert(sizeof(T) > 1, "big");

 public:
  Box() = default;
  explicit Box(int size) : size_(size), data_{} {}

  // Its size.
  int size() const { return size_; }

 private:
  int size_ = 0;
};

// Not for use.
NAPI_RELOAD_INLINE_ int hidden_(int a) { return a; }

// Makes one, "{" and all.
NAPI_RELOAD_INLINE_ int make(int a,
                             int b) {
  return a + b;
}

#endif  // A_HPP_
`);
    expect(about).toBe('a.hpp: makes boxes.\n\n```cpp\nBox box(1);\n```\n\nCheap.');
    expect(items).toEqual([
      { name: 'A_MAX', code: '#define A_MAX 8', comment: 'A bound.' },
      {
        name: 'Box',
        code: `template <typename T>
class Box {
 public:
  Box() = default;
  explicit Box(int size);

  // Its size.
  int size() const;
};`,
        comment: 'A box.',
      },
      { name: 'make', code: 'int make(int a, int b);', comment: 'Makes one, "{" and all.' },
    ]);
  });

  test('finds each name of the headers that does not end in an underscore', () => {
    const folder = path.join(ROOT, 'native/include');
    const text = readDocument('docs/api.md');
    for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.h')) continue;
      const header = fs.readFileSync(path.join(folder, name), 'utf8');
      const functions = [...header.matchAll(/^NAPI_RELOAD_INLINE_ [^(]*?(\w+[^_\W])\(/gm)];
      for (const [, found = ''] of functions) expect(text).toContain(`\n### ${found}\n`);
    }
  });
});
