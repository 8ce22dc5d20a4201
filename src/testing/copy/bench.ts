/** Copies of one project, each for one kit at a time: what one has compiled, the next need not compile again. */
import path from 'node:path';
import type { SourcePath } from '../../brands.ts';
import type { BuildOutcome } from '../../build/builder.ts';
import { createBuilder } from '../../build/create-builder.ts';
import type { ResolvedBuild } from '../../build-options.ts';
import { invalid } from '../../option-checks.ts';
import { realOutside } from '../../outside.ts';
import { openCache } from '../cache/build-cache.ts';
import { KeptBuilder } from '../cache/kept-builder.ts';
import type { ResolvedKit } from '../options.ts';
import { Workspace } from './workspace.ts';

/** Tests that run at the same time in one file have as many; more than these are removed when their tests end. */
const IDLE_MAX = 4;

/** A copy, and who builds in it. */
export interface Place {
  readonly workspace: Workspace;
  readonly builder: KeptBuilder;
}

export class Bench {
  readonly kit: ResolvedKit;
  readonly #idle: Place[] = [];
  #isEnded = false;

  constructor(kit: ResolvedKit) {
    this.kit = kit;
  }

  /** From now on what is given is kept for the next test. */
  begin(): void {
    this.#isEnded = false;
  }

  /** @throws `ERR_INVALID_OPTION` when nothing can be copied, or nobody can build it */
  async take(): Promise<Place> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const workspace = await Workspace.create(this.kit);
    try {
      return { workspace, builder: await makeBuilder(this.kit, workspace) };
    } catch (error) {
      await workspace.remove();
      throw error;
    }
  }

  /** Takes back what nobody builds or runs any more. */
  async give(place: Place): Promise<void> {
    const isWanted = !this.#isEnded && this.#idle.length < IDLE_MAX && !place.builder.wasStopped;
    if (isWanted && (await isReset(place.workspace)) && !this.#isEnded) this.#idle.push(place);
    else await place.workspace.remove();
  }

  /**
   * Builds once, so that the first test does not take longer than the others.
   *
   * @throws `ERR_BUILD_FAILED`
   */
  async prepare(): Promise<void> {
    const place = await this.take();
    try {
      await this.build(place, new AbortController().signal);
    } finally {
      await this.give(place);
    }
  }

  /** @throws `ERR_BUILD_FAILED`; `ERR_ABORTED` when the signal fired */
  build({ builder }: Place, signal: AbortSignal): Promise<BuildOutcome> {
    const { buildTimeoutMs: timeoutMs } = this.kit;
    return builder.build({ signal, timeoutMs, onProgress: () => undefined });
  }

  /** Removes what is idle, and from now on what is given, until it begins again. */
  async end(): Promise<void> {
    this.#isEnded = true;
    for (const { workspace } of this.#idle.splice(0)) await workspace.remove();
  }
}

async function isReset(workspace: Workspace): Promise<boolean> {
  return workspace.reset().then(
    () => true,
    () => false,
  );
}

async function makeBuilder(kit: ResolvedKit, workspace: Workspace): Promise<KeptBuilder> {
  const source = path.join(workspace.root, kit.addon) as SourcePath;
  const builder = await createBuilder(inCopy(kit.build, workspace.root), source, realOutside);
  if (builder === null) return invalid('build', 'none', 'a builder');
  return new KeptBuilder(builder, { kit, workspace, cache: await openCache(kit) });
}

/** A command runs in the root of the copy where it names no folder: none above the copy is one of its project. */
function inCopy(build: ResolvedBuild, root: string): ResolvedBuild {
  if (build.kind === 'none') return build;
  if (build.cwd !== null) return { ...build, cwd: path.join(root, build.cwd) };
  return build.kind === 'command' ? { ...build, cwd: root } : build;
}
