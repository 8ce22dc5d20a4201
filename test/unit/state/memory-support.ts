/** What the tests of memory that stays share. */
import fs from 'node:fs';
import { expect, onTestFinished } from 'vitest';
import { Addon } from '../../../src/addon.ts';
import type { MemoryOptions } from '../../../src/index.ts';
import { type Outside, realOutside } from '../../../src/outside.ts';
import { createScratch, install, scriptedAddon } from '../../support/addons.ts';

const { native } = realOutside;
export const addressOf = (view: Uint8Array): bigint => native.addressOf(view);
/** The real outside with another shim. */
export const without = (changes: Partial<Outside['native']>): Outside => ({
  ...realOutside,
  native: { ...native, ...changes },
});

export const sum = (view: Uint8Array): number => view.reduce((total, byte) => total + byte, 0);

/** How many files of such memory this process has open. */
export const openFiles = (): number =>
  fs
    .readdirSync('/proc/self/fd')
    .filter((number) => targetOf(`/proc/self/fd/${number}`).includes('napi-reload:')).length;

function targetOf(link: string): string {
  try {
    return fs.readlinkSync(link);
  } catch {
    // The one by which the folder itself was read.
    return '';
  }
}

interface Views {
  /** What the live version got, by name. */
  readonly views: Readonly<Record<string, Uint8Array>>;
  readonly ask: (name: string, byteLength: unknown, options?: unknown) => Uint8Array;
  readonly id: string;
}

export type Wish = readonly [name: string, byteLength: number, options?: MemoryOptions];

export interface Wishes {
  readonly prepare?: readonly Wish[];
  readonly init?: readonly Wish[];
  /** What `init` does at its end. */
  readonly last?: string;
}

/** An addon that asks for this, and exports what it got as `views()`. */
export function asking({ prepare = [], init = [], last = '' }: Wishes, id = 'any'): string {
  return scriptedAddon(`
    const views = {};
    const take = (wishes, memory) => { for (const wish of wishes) views[wish[0]] = memory(...wish); };
    let ask;
    exports.views = () => views;
    exports.ask = (...wish) => ask(...wish);
    exports.id = () => ${JSON.stringify(id)};
    exports.napiReload = {
      async prepare({ memory }) { take(${JSON.stringify(prepare)}, memory); },
      init(ctx) { ask = ctx.memory; take(${JSON.stringify(init)}, ctx.memory); ${last} },
    };
  `);
}

export interface Handle {
  readonly addon: Addon<Record<keyof Views, (...values: readonly unknown[]) => unknown>>;
  view(name?: string): Uint8Array;
  /** Makes it the next version; rejects when that is refused. */
  reload(built: string, options?: { discardState?: boolean }): Promise<unknown>;
}

export async function openHandle(built: string, outside: Outside): Promise<Handle> {
  const scratch = createScratch();
  const file = scratch.file('kernel.node');
  install(built, file);
  onTestFinished(() => scratch[Symbol.dispose]());
  const addon: Handle['addon'] = await Addon.open(file, { stageDir: scratch.file('stage') }, outside);
  onTestFinished(() => addon.close());
  return {
    addon,
    view: (name = 'ring') => (addon.exports.views() as Views['views'])[name] ?? expect.unreachable(name),
    reload(next, options = {}) {
      install(next, file);
      return addon.reload(options);
    },
  };
}
