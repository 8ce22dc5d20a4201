/**
 * Builds with node-gyp: `configure` when it must be, then `build`. Never `rebuild`, which deletes the working addon
 * before it knows whether there will be another.
 */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { errors, isReloadError } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { attempt } from './attempt.ts';
import type { Builder, BuildOutcome, BuildRequest } from './builder.ts';
import { readDepfiles } from './depfiles.ts';
import { CLOCK_STEP_MS, isFile, isInside, modifiedMs, nearestWith } from './files.ts';
import {
  type Configuration,
  findGypFiles,
  type GypSources,
  isConfigured,
  readGypSources,
  removeStaleMakefile,
} from './gyp-files.ts';
import { findSources, isSource } from './sources.ts';
import { findGypObjects, removeStaleObjects } from './stale.ts';

/** As few lines as node-gyp prints; what make and the compiler say comes anyway. */
const QUIET = '--loglevel=warn';

/**
 * @throws `ERR_INVALID_OPTION` when no folder above the addon has a binding.gyp
 */
export async function createNodeGypBuilder(source: SourcePath, outside: Outside): Promise<Builder> {
  const root = await nearestWith(outside, path.dirname(source), ['binding.gyp']);
  if (root === null) {
    throw errors.invalidOption({
      option: 'build',
      found: `'node-gyp', but no binding.gyp in any folder above ${JSON.stringify(source)}`,
      wanted: 'an addon below the folder of its binding.gyp, or { command, args, cwd }',
    });
  }
  const nodeDir = await findNodeDir(outside);
  return new NodeGypBuilder({ source, outside, root, nodeDir, nodeGyp: resolveNodeGyp(root) });
}

/** The headers that came with this Node.js, so that no build has to download any. */
async function findNodeDir(outside: Outside): Promise<string | null> {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  return (await isFile(outside, path.join(prefix, 'include/node/node_api.h'))) ? prefix : null;
}

/** The project's own node-gyp where it has one, else ours. */
function resolveNodeGyp(root: string): string {
  try {
    return createRequire(path.join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  }
}

interface Setup extends Configuration {
  readonly source: SourcePath;
  readonly outside: Outside;
  /** Absolute path of node-gyp's own JavaScript: started directly, it spares the 600 ms that npx takes. */
  readonly nodeGyp: string;
}

class NodeGypBuilder implements Builder {
  readonly root: string;
  readonly #setup: Setup;
  readonly #configuration: 'Debug' | 'Release';
  /** What the last build said, when it failed: its files may be ones that no depfile names yet. */
  #blamed: readonly Diagnostic[] = [];
  #named: { readonly state: string; readonly sources: GypSources } | null = null;

  constructor(setup: Setup) {
    this.root = setup.root;
    this.#setup = setup;
    const output = path.relative(path.join(setup.root, 'build'), setup.source);
    this.#configuration = output.split(path.sep)[0] === 'Debug' ? 'Debug' : 'Release';
  }

  async build(request: BuildRequest): Promise<BuildOutcome> {
    const { outside } = this.#setup;
    // node-gyp takes longer to start than the clock can be behind: what was saved just before is read.
    const sinceMs = Date.now() + CLOCK_STEP_MS + 1;
    const startedMs = outside.nowMs();
    const configured = !(await isConfigured(outside, this.#setup));
    try {
      if (configured) await this.#configure(request);
      const timeoutMs = Math.max(1, request.timeoutMs - (outside.nowMs() - startedMs));
      const result = await this.#run('build', ['--jobs=max'], { ...request, timeoutMs });
      this.#blamed = [];
      return { configured, skipped: false, ...result };
    } catch (error) {
      if (isReloadError(error, 'ERR_BUILD_FAILED')) this.#blamed = error.details.diagnostics;
      throw error;
    } finally {
      await this.#removeStale(sinceMs);
    }
  }

  /** So that an edit during a build is in the next one, whether that is asked for here or in a terminal. */
  async #removeStale(sinceMs: number): Promise<void> {
    const { outside } = this.#setup;
    const build = path.join(this.root, 'build');
    const objects = await findGypObjects(outside, build, path.join(build, this.#configuration, '.deps'));
    await removeStaleObjects(outside, { objects, bases: [build], output: build, sinceMs });
    await removeStaleMakefile(outside, this.root, sinceMs);
  }

  async #configure(request: BuildRequest): Promise<void> {
    request.onProgress({ step: 'configure' });
    try {
      await this.#run('configure', [], request);
    } catch (error) {
      // Half a Makefile must not pass for a newer one.
      await this.#setup.outside.remove(path.join(this.root, 'build/Makefile')).catch(() => {});
      throw error;
    }
  }

  #run(
    verb: 'configure' | 'build',
    more: readonly string[],
    request: BuildRequest,
  ): ReturnType<typeof attempt> {
    const { source, outside, nodeGyp, nodeDir } = this.#setup;
    const nodeDirArgs = nodeDir === null ? [] : [`--nodedir=${nodeDir}`];
    const configuration = this.#configuration === 'Debug' ? '--debug' : '--release';
    const what = {
      addon: source,
      command: process.execPath,
      args: [nodeGyp, verb, QUIET, configuration, ...nodeDirArgs, ...more],
      cwd: this.root,
      env: {},
      title: `node-gyp ${verb}`,
      // node-gyp starts make in there, and what make says of it can come after the first message.
      messagesFrom: verb === 'build' ? path.join(this.root, 'build') : this.root,
      writesAddon: verb === 'build',
    };
    return attempt(outside, what, request);
  }

  async inputs(): Promise<readonly string[]> {
    const { outside } = this.#setup;
    const build = path.join(this.root, 'build');
    const gypFiles = await findGypFiles(outside, this.root);
    const read = await readDepfiles(outside, path.join(build, this.#configuration, '.deps'), [build]);
    const named = await this.#readSources(gypFiles);
    // Before the first build nothing else knows what gyp's variables and commands stand for.
    const guessed =
      named.partly && read.size === 0 ? await findSources(outside, this.root, build, isSource) : [];
    const inputs = new Set([
      ...gypFiles,
      ...read,
      ...named.files,
      ...guessed,
      ...(await blamedFiles(outside, this.root, this.#blamed)),
    ]);
    // What the build writes itself, such as generated headers, would start it again and again.
    return [...inputs].filter((file) => !isInside(build, file)).sort();
  }

  /** Reading them starts Python, so it is done once for each state of the gyp files. */
  async #readSources(gypFiles: readonly string[]): Promise<GypSources> {
    const { outside } = this.#setup;
    const stamps = await Promise.all(gypFiles.map((file) => modifiedMs(outside, file)));
    const state = JSON.stringify([gypFiles, stamps]);
    if (this.#named?.state !== state) {
      this.#named = { state, sources: await readGypSources(outside, gypFiles) };
    }
    return this.#named.sources;
  }
}

/** Files that the messages are about, and those that they miss, where mending may begin. */
async function blamedFiles(
  outside: Outside,
  root: string,
  diagnostics: readonly Diagnostic[],
): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const { file, text } of diagnostics) {
    files.add(file);
    const missing = /^(.+): No such file or directory$/.exec(text)?.[1];
    if (missing !== undefined) files.add(path.resolve(path.dirname(file), missing));
  }
  const found: string[] = [];
  for (const file of files) {
    // A linker's message without a file names a folder; a missing file counts where somebody here can make it.
    const isWanted =
      (await isFile(outside, file)) || (isInside(root, file) && (await modifiedMs(outside, file)) === null);
    if (isWanted) found.push(file);
  }
  return found;
}
