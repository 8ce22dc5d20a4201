/** A builder that takes what was built before, in this run or another, where it is made from the same. */
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Builder, BuildOutcome, BuildRequest } from '../../build/builder.ts';
import { hasChangedSince, isInside, walk } from '../../build/files.ts';
import type { Diagnostic } from '../../diagnostic.ts';
import { errors } from '../../errors.ts';
import { realOutside } from '../../outside.ts';
import { outputOf } from '../copy/output.ts';
import type { Workspace } from '../copy/workspace.ts';
import { withOutput } from '../explain.ts';
import type { ResolvedKit } from '../options.ts';
import type { BuildCache } from './build-cache.ts';
import { BuildKey } from './build-key.ts';
import { linkedFiles } from './libraries.ts';

/** The addon is the one that was there, and what the compiler said of it was said before. */
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
  readonly #key: BuildKey;
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
    this.#key = new BuildKey(options.workspace, options.kit);
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
    this.#refuseAborted(request);
    const key = await this.#key.current();
    if (key === this.#built && existsSync(this.#addon)) return NOTHING;
    this.#built = null;
    if (cache === null) return this.#make(key, request);
    const kept = await this.#restore(cache, key);
    if (kept !== null) return kept;
    // Whoever else has the same copy at this moment builds it for both, once.
    const release = await cache.lock(key);
    if (release === null) await cache.awaitBuild(key, request.timeoutMs, request.signal);
    try {
      this.#refuseAborted(request);
      return (await this.#restore(cache, key)) ?? (await this.#make(key, request));
    } finally {
      await release?.();
    }
  }

  #refuseAborted({ signal }: BuildRequest): void {
    if (signal.aborted) throw errors.aborted({ addon: this.#addon, during: 'build' }, signal.reason);
  }

  /** @returns what the build said that made it; null where nothing is kept */
  async #restore(cache: BuildCache, key: string): Promise<BuildOutcome | null> {
    const { kit, workspace } = this.#options;
    const diagnostics = await cache.restore(key, workspace.root, kit.addon);
    if (diagnostics === null) return null;
    this.#built = key;
    return { configured: false, skipped: false, diagnostics, phasesMs: {} };
  }

  async #make(key: string, request: BuildRequest): Promise<BuildOutcome> {
    const { cache } = this.#options;
    const sinceMs = Date.now();
    // It does not know of addons that were put in place meanwhile.
    const outcome = await this.#builder
      .build({ ...request, always: true })
      .catch((error: unknown) => {
        throw withOutput(error);
      })
      .finally(() => {
        this.#wasStopped ||= request.signal.aborted;
      });
    // What was edited during the build may be in it or not.
    if ((await this.#key.current()) === key) {
      this.#built = key;
      if (cache !== null) await this.#keep(cache, key, { sinceMs, diagnostics: outcome.diagnostics });
    }
    return outcome;
  }

  async #keep(
    cache: BuildCache,
    key: string,
    { sinceMs, diagnostics }: { readonly sinceMs: number; readonly diagnostics: readonly Diagnostic[] },
  ): Promise<void> {
    const { kit, workspace } = this.#options;
    const { root } = workspace;
    const libraries = await this.#libraries();
    const names = [kit.addon, ...libraries];
    // A path in one of several files may be where the loader looks for the others, in a folder that goes away.
    for (const name of libraries.length > 0 ? names : []) {
      if ((await fs.readFile(path.join(root, name))).includes(root)) return;
    }
    const read = await this.#readOutside();
    for (const file of read) if (await hasChangedSince(realOutside, file, sinceMs)) return;
    await cache.keep(key, root, { names, read, diagnostics });
  }

  /** Real paths of headers, and of what was linked. */
  async #readOutside(): Promise<readonly string[]> {
    const { kit, workspace } = this.#options;
    const { folder, root } = workspace;
    const text = kit.build.kind === 'command' ? [kit.build.command, ...kit.build.args].join(' ') : '';
    const output = path.join(root, outputOf(kit.addon) ?? '');
    // Builders run in one of them, or in a folder of their own in the other.
    const linked = await linkedFiles([root], { bases: [...new Set([this.root, output])], text });
    const read = new Set<string>();
    for (const file of [...(await this.#builder.inputs().catch(() => [])), ...linked]) {
      const real = await fs.realpath(file).catch(() => file);
      if (!isInside(folder, real)) read.add(real);
    }
    return [...read];
  }

  /** Shared libraries that the build has written, relative to the project. */
  async #libraries(): Promise<readonly string[]> {
    const { kit, workspace } = this.#options;
    const output = path.join(workspace.root, outputOf(kit.addon) ?? path.dirname(kit.addon));
    const enters = (): boolean => output !== workspace.root;
    const wants = (file: string): boolean => /\.so(?:\.|$)/.test(path.basename(file));
    const found = await walk(realOutside, output, { enters, wants });
    const copied = new Set(workspace.files());
    const names = (found ?? []).map((file) => path.relative(workspace.root, file));
    return names.filter((name) => !copied.has(name));
  }
}
