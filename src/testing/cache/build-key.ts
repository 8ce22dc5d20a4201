/** What a build is made from, as one name: equal names, equal addons. */
import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { CLOCK_STEP_MS } from '../../build/files.ts';
import { isDescription } from '../../build/sources.ts';
import { packageVersions } from '../copy/packages.ts';
import type { Workspace } from '../copy/workspace.ts';
import type { ResolvedKit } from '../options.ts';
import { readsAnyVariable, variablesOf } from './build-env.ts';
import { knownPrograms } from './programs.ts';

/** Of the cache's own layout, and of this list. */
const FORMAT = 2;

/** Files in which builds are described, or programmed, beside those that only describe. */
const SCRIPT = /\.(?:[cm]?js|json|py|sh|pl|lua|toml|cmake)$|^(?:configure|build\.rs)$/;
/** In larger ones nobody describes a build. */
const DESCRIPTION_BYTES_MAX = 2 ** 20;
/** `-march=native` and the like: the processor decides what is compiled. */
const NATIVE = /(?:arch|cpu|tune)=native\b/;

/** A file as it was when it was read last. */
interface Read {
  /** Times, size and number of the file. */
  readonly stamp: string;
  readonly hash: string;
  /** Words in it, where it may describe a build. */
  readonly words: readonly string[];
  readonly isNative: boolean;
}

/** Of one copy. Only what was touched since is read again. */
export class BuildKey {
  readonly #workspace: Workspace;
  readonly #kit: ResolvedKit;
  readonly #processors: string;
  readonly #known = new Map<string, Read>();
  /** Nobody installs packages between two builds of a test. */
  #packages: Promise<readonly string[]> | null = null;

  /** @param processors the file in which Linux describes them */
  constructor(workspace: Workspace, kit: ResolvedKit, processors = '/proc/cpuinfo') {
    this.#workspace = workspace;
    this.#kit = kit;
    this.#processors = processors;
  }

  /** @returns a name of hexadecimal digits, for what the copy holds now */
  async current(): Promise<string> {
    const { addon, build, root } = this.#kit;
    const hash = createHash('sha256');
    add(hash, JSON.stringify([FORMAT, process.version, process.platform, process.arch, addon, build]));
    this.#packages ??= packageVersions(root);
    add(hash, JSON.stringify([await knownPrograms(), await this.#packages]));
    const words = new Set(JSON.stringify(build).match(/\w+/g) ?? []);
    const files = this.#workspace.files();
    let isNative = NATIVE.test(JSON.stringify(build));
    for (const name of files) {
      const read = await this.#read(name);
      add(hash, name);
      add(hash, read?.hash ?? 'none');
      for (const word of read?.words ?? []) words.add(word);
      isNative ||= read?.isNative ?? false;
    }
    const hasDescription = files.some((name) =>
      /^(?:binding\.gyp|CMakeLists\.txt)$/.test(path.basename(name)),
    );
    const isAny = readsAnyVariable(build, hasDescription);
    const variables = variablesOf(process.env, { words, isAny });
    add(hash, JSON.stringify(variables));
    if (isNative || variables.some((each) => NATIVE.test(each)))
      add(hash, await describeProcessor(this.#processors));
    return hash.digest('hex');
  }

  async #read(name: string): Promise<Read | null> {
    const file = path.join(this.#workspace.root, name);
    const found = await fs.stat(file).catch(() => null);
    if (found === null) return null;
    const stamp = `${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
    const known = this.#known.get(name);
    if (known?.stamp === stamp) return known;
    const bytes = await fs.readFile(file).catch(() => null);
    if (bytes === null) return null;
    const base = path.basename(name);
    const isRead = bytes.length <= DESCRIPTION_BYTES_MAX && (isDescription(name) || SCRIPT.test(base));
    const text = isRead ? bytes.toString('latin1') : '';
    const words = [...new Set(text.match(/\b[A-Za-z_]\w*/g))];
    const read = { stamp, hash: hashOf(bytes), words, isNative: NATIVE.test(text) };
    // Another change within the same step of the clock would have the same stamp.
    if (found.ctimeMs + CLOCK_STEP_MS < Date.now()) this.#known.set(name, read);
    return read;
  }
}

/** @returns SHA-256 in hexadecimal; null when it cannot be read */
export async function hashOfFile(file: string): Promise<string | null> {
  return fs.readFile(file).then(hashOf, () => null);
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** So that no two lists of parts run together to the same. */
function add(hash: Hash, part: string): void {
  hash.update(`${Buffer.byteLength(part)}:`).update(part);
}

/** What `native` stands for here. */
async function describeProcessor(file: string): Promise<string> {
  const text = await fs.readFile(file, 'latin1').catch(() => '');
  const lines = text.split('\n\n')[0]?.split('\n') ?? [];
  return lines.filter((line) => /^(?:model|vendor_id|cpu family|flags|Features|CPU)/.test(line)).join('\n');
}
