/**
 * Builds with node-gyp: `configure` when it must be, then `build`. Never `rebuild`, which deletes the working addon
 * before it knows whether there will be another.
 */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import type { Configuration } from '../build-options.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { readDepfiles } from './depfiles.ts';
import { isInside, modifiedMs, nearestWith } from './files.ts';
import {
  findGypFiles,
  type GypSources,
  isConfigured,
  readGypSources,
  removeStaleMakefile,
} from './gyp-files.ts';
import { findNodeDir, scriptOf } from './packages.ts';
import { findSources, isSource } from './sources.ts';
import { findGypObjects } from './stale.ts';
import type { Launch, Tool } from './tool.ts';

/** As few lines as node-gyp prints; what make and the compiler say comes anyway. */
const QUIET = '--loglevel=warn';

export interface NodeGypSetup {
  readonly source: SourcePath;
  readonly cwd: string | null;
  readonly configuration: Configuration;
}

/** @throws `ERR_INVALID_OPTION` when no folder above the addon has a binding.gyp */
export async function nodeGypTool(
  { source, cwd, configuration }: NodeGypSetup,
  outside: Outside,
): Promise<Tool> {
  const root = await nearestWith(outside, cwd ?? path.dirname(source), ['binding.gyp']);
  if (root === null || (cwd !== null && root !== cwd)) {
    throw errors.invalidOption({
      option: 'build',
      found: `'node-gyp', but no binding.gyp in ${cwd === null ? 'any folder above' : 'build.cwd of'} ${JSON.stringify(source)}`,
      wanted: 'an addon below the folder of its binding.gyp, or { command, args, cwd }',
    });
  }
  const nodeDir = await findNodeDir(outside);
  const output = path.join(root, 'build');
  const depsFolder = path.join(output, configuration, '.deps');
  const makefile = path.join(output, 'Makefile');
  const script = scriptOf(root, 'node-gyp/bin/node-gyp.js');
  const inputs = new GypInputs(outside, root, depsFolder);

  const launch = (verb: 'configure' | 'build', more: readonly string[]): Launch => ({
    command: process.execPath,
    args: [
      script,
      verb,
      QUIET,
      configuration === 'Debug' ? '--debug' : '--release',
      ...(nodeDir === null ? [] : [`--nodedir=${nodeDir}`]),
      ...more,
    ],
    cwd: root,
    env: {},
    title: `node-gyp ${verb}`,
    // node-gyp starts make in there, and what make says of it can come after the first message.
    messagesFrom: verb === 'build' ? output : root,
  });

  return {
    root,
    source,
    output,
    outputHasSources: false,
    configure: {
      ...launch('configure', []),
      isNeeded: async () => !(await isConfigured(outside, { root, nodeDir })),
      // Half a Makefile must not pass for a newer one.
      undo: () => outside.remove(makefile).catch(() => {}),
      notes: async () => [],
    },
    build: launch('build', ['--jobs=max']),
    programs: async () => [process.env['MAKE'] ?? 'make'],
    backend: async () => ({
      kind: 'make',
      folder: output,
      args: [`BUILDTYPE=${configuration}`],
      isParallel: true,
      foresees: 'compilations',
    }),
    objects: () => findGypObjects(outside, output, depsFolder),
    inputs: () => inputs.find(),
    afterBuild: (sinceMs) => removeStaleMakefile(outside, root, sinceMs),
  };
}

/** What a build with gyp reads, as far as gyp files and depfiles tell. */
class GypInputs {
  readonly #outside: Outside;
  readonly #root: string;
  readonly #depsFolder: string;
  #named: { readonly state: string; readonly sources: GypSources } | null = null;

  constructor(outside: Outside, root: string, depsFolder: string) {
    this.#outside = outside;
    this.#root = root;
    this.#depsFolder = depsFolder;
  }

  async find(): Promise<readonly string[]> {
    const build = path.join(this.#root, 'build');
    const gypFiles = await findGypFiles(this.#outside, this.#root);
    const read = await readDepfiles(this.#outside, this.#depsFolder, [build]);
    const named = await this.#readSources(gypFiles);
    // Before the first build nothing else knows what gyp's variables and commands stand for.
    const isGuess = named.partly && read.size === 0;
    const guessed = isGuess ? await findSources(this.#outside, this.#root, build, isSource) : [];
    // What the build writes itself, such as generated headers, would start it again and again.
    return [...gypFiles, ...read, ...named.files, ...guessed].filter((file) => !isInside(build, file));
  }

  /** Reading them starts Python, so it is done once for each state of the gyp files. */
  async #readSources(gypFiles: readonly string[]): Promise<GypSources> {
    const stamps = await Promise.all(gypFiles.map((file) => modifiedMs(this.#outside, file)));
    const state = JSON.stringify([gypFiles, stamps]);
    if (this.#named?.state !== state) {
      this.#named = { state, sources: await readGypSources(this.#outside, gypFiles) };
    }
    return this.#named.sources;
  }
}
