/** A builder that takes what was built before, in this run or another, where it is made from the same. */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Builder, BuildOutcome, BuildRequest } from '../build/builder.ts';
import { isInside, walk } from '../build/files.ts';
import { errors } from '../errors.ts';
import { realOutside } from '../outside.ts';
import type { BuildCache } from './build-cache.ts';
import { keyOf } from './build-key.ts';
import type { ResolvedKit } from './options.ts';
import type { Workspace } from './workspace.ts';

const NOTHING: BuildOutcome = { configured: false, skipped: true, diagnostics: [], phasesMs: {} };

export interface KeptBuilderOptions {
  readonly kit: ResolvedKit;
  readonly workspace: Workspace;
  /** Null where nothing is kept. */
  readonly cache: BuildCache | null;
}

export class KeptBuilder implements Builder {
  readonly root: string;
  readonly #builder: Builder;
  readonly #options: KeptBuilderOptions;
  readonly #addon: string;
  /** Of what the addon was made from that is there now. */
  #built: string | null = null;
  /** Settles with the last build that was asked for. */
  #tail: Promise<unknown> = Promise.resolve();
  #wasStopped = false;

  constructor(builder: Builder, options: KeptBuilderOptions) {
    this.root = builder.root;
    this.#builder = builder;
    this.#options = options;
    this.#addon = path.join(options.workspace.root, options.kit.addon);
  }

  inputs(): Promise<readonly string[]> {
    return this.#builder.inputs();
  }

  /** Whether a build was stopped half-way, and may have left half an object. */
  get wasStopped(): boolean {
    return this.#wasStopped;
  }

  /** One at a time: what is kept must not be put where a linker writes. */
  build(request: BuildRequest): Promise<BuildOutcome> {
    const done = this.#tail.then(() => this.#build(request));
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #build(request: BuildRequest): Promise<BuildOutcome> {
    const { cache } = this.#options;
    if (request.signal.aborted)
      throw errors.aborted({ addon: this.#addon, during: 'build' }, request.signal.reason);
    const key = await this.#key();
    if (key === this.#built && existsSync(this.#addon)) return NOTHING;
    this.#built = null;
    if ((await cache?.restore(key, this.#options.workspace.root)) === true) {
      this.#built = key;
      return NOTHING;
    }
    // It does not know of addons that were put in place meanwhile.
    const outcome = await this.#builder.build({ ...request, always: true }).finally(() => {
      this.#wasStopped ||= request.signal.aborted;
    });
    // What was edited during the build may be in it or not.
    if ((await this.#key()) === key) {
      this.#built = key;
      if (cache !== null) await this.#keep(cache, key);
    }
    return outcome;
  }

  #key(): Promise<string> {
    return keyOf(this.#options.workspace, this.#options.kit);
  }

  async #keep(cache: BuildCache, key: string): Promise<void> {
    const { kit, workspace } = this.#options;
    const { folder, root } = workspace;
    const libraries = await this.#libraries();
    const names = [kit.addon, ...libraries];
    // A path in one of several files may be where the loader looks for the others, in a folder that goes away.
    for (const name of libraries.length > 0 ? names : []) {
      if ((await fs.readFile(path.join(root, name))).includes(root)) return;
    }
    const read = [];
    for (const file of await this.#builder.inputs().catch(() => [])) {
      const real = await fs.realpath(file).catch(() => file);
      if (!isInside(folder, real)) read.push(real);
    }
    await cache.keep(key, root, { names, read });
  }

  /** Shared libraries that the build has written, relative to the project. */
  async #libraries(): Promise<readonly string[]> {
    const { kit, workspace } = this.#options;
    const [top = '', below] = kit.addon.split(path.sep);
    const enters = (): boolean => below !== undefined;
    const wants = (file: string): boolean => /\.so(?:\.|$)/.test(path.basename(file));
    const output = below === undefined ? workspace.root : path.join(workspace.root, top);
    const found = await walk(realOutside, output, { enters, wants });
    return (found ?? []).map((file) => path.relative(workspace.root, file));
  }
}
