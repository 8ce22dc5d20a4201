/** A copy of a project that tests may edit and build. The project itself is only read. */
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isInside } from '../../build/files.ts';
import { holdsSources, isDescription } from '../../build/sources.ts';
import { nearest } from '../../nearest.ts';
import { invalid, show } from '../../option-checks.ts';
import { belowRoot, type ResolvedKit } from '../options.ts';
import { keepAtExit, removeAtExit } from './at-exit.ts';
import { sweepLeftovers, WORKSPACE_PREFIX } from './leftovers.ts';
import { outputOf } from './output.ts';
import { ownerToken } from './owner.ts';
import { linkPackages } from './packages.ts';

/** What one copy may have: more than that is no project that is built again and again. */
const FILES_MAX = 20_000;
const BYTES_MAX = 512 * 2 ** 20;
/** Files of the root that no build reads, and people change often: each change would be another build. */
const UNREAD =
  /^\.|^(?:vitest|vite)\.config\.|\.md$|\.log$|^junit.*\.xml$|\.(?:test|spec|node-test)\.[cm]?[jt]sx?$/;
const NEW_FILE_MODE = 0o644;
/** Folders that are never copied, wherever they are. */
const NEVER = new Set(['node_modules', '.git']);

export class Workspace {
  /** The folder of all that belongs to it, of this user alone. */
  readonly folder: string;
  /** Absolute folder of the copied project. */
  readonly root: string;
  /** Paths relative to `root` of all files that were copied or added. */
  readonly #files = new Set<string>();
  #bytes = 0;
  /** Settles with the last edit that was asked for. */
  #tail: Promise<unknown> = Promise.resolve();
  /** What files held that were written since the copy was made; null for those that were not there. */
  readonly #before = new Map<string, { readonly bytes: Buffer; readonly mode: number } | null>();

  private constructor(folder: string, root: string) {
    this.folder = folder;
    this.root = root;
  }

  /** @throws `ERR_INVALID_OPTION` when a source is not there, or there are too many */
  static async create(kit: ResolvedKit): Promise<Workspace> {
    await sweepLeftovers();
    const prefix = path.join(await fs.realpath(os.tmpdir()), `${WORKSPACE_PREFIX}${ownerToken()}-`);
    const folder = await fs.mkdtemp(prefix);
    removeAtExit(folder);
    try {
      const workspace = new Workspace(folder, await linkPackages(kit.root, folder));
      await workspace.#copyProject(kit);
      return workspace;
    } catch (error) {
      await removeFolder(folder);
      throw error;
    }
  }

  /** Sorted, relative to `root`. */
  files(): readonly string[] {
    return [...this.#files].sort();
  }

  /**
   * @throws `ERR_INVALID_OPTION` for a file that was not copied or is no text, and for an edit that changes nothing
   */
  edit(name: string, change: (text: string) => string): Promise<void> {
    return this.#inTurn(async () => {
      const file = this.#fileNamed(name);
      const bytes = await fs.readFile(path.join(this.root, file));
      const before = decode(bytes) ?? invalid('edit', `${show(file)}, which is not UTF-8`, 'a file of text');
      const after: unknown = change(before);
      if (typeof after !== 'string')
        return invalid('edit', `a function that returned ${show(after)}`, `the new text of ${show(file)}`);
      if (after === before)
        invalid('edit', `a function that left ${show(file)} as it was`, 'one that changes its text');
      await this.#write(file, after);
    });
  }

  /** Writes a whole file, which need not be there. @throws `ERR_INVALID_OPTION` when it is not below the root */
  write(name: string, content: string): Promise<void> {
    return this.#inTurn(async () => {
      const file = belowRoot(this.root, 'write', name);
      if (file === '' || !(await this.#isOwn(path.dirname(file))))
        invalid(
          'write',
          show(name),
          'the name of a file of the copy; packages are those of the project itself',
        );
      await this.#write(file, content);
    });
  }

  async #write(file: string, content: string): Promise<void> {
    const target = path.join(this.root, file);
    if (!this.#before.has(file)) this.#before.set(file, await readWhole(target));
    await replace(target, content, this.#before.get(file)?.mode ?? NEW_FILE_MODE);
    this.#files.add(file);
  }

  /** Whether no link leads from this folder, or the nearest one above it that is there, out of the copy. */
  async #isOwn(folder: string): Promise<boolean> {
    const real = await fs.realpath(path.join(this.root, folder)).catch(() => null);
    if (real !== null) return isInside(this.root, real);
    return folder !== '.' && this.#isOwn(path.dirname(folder));
  }

  /** An edit reads and writes: two at the same time would lose one. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Makes its sources what they were when the copy was made. What was built stays. */
  async reset(): Promise<void> {
    for (const [file, before] of this.#before) {
      const target = path.join(this.root, file);
      if (before !== null) {
        await replace(target, before.bytes, before.mode);
      } else {
        await fs.rm(target, { force: true });
        this.#files.delete(file);
      }
      this.#before.delete(file);
    }
  }

  async remove(): Promise<void> {
    await removeFolder(this.folder);
  }

  #fileNamed(name: string): string {
    const file = belowRoot(this.root, 'edit', name);
    if (this.#files.has(file)) return file;
    const files = this.files();
    const meant = files.find((each) => each.endsWith(`/${file}`)) ?? nearest(file, files);
    const hint = meant === null ? '' : `; did you mean ${show(meant)}?`;
    return invalid('edit', `${show(name)}, which was not copied`, `a file of the project${hint}`);
  }

  async #copyProject(kit: ResolvedKit): Promise<void> {
    const { root, sources } = kit;
    const copied = new Copied(kit);
    for (const entry of await fs.readdir(root).catch(() => [])) {
      const found = await fs.stat(path.join(root, entry)).catch(() => null);
      if (found?.isFile() && copied.hasFile(entry)) await this.#copyFile(root, entry, found.size);
      if (found?.isDirectory() && sources === null && holdsSources(entry) && copied.entersFolder(entry))
        await this.#copyFolder(entry, new Set(), copied);
    }
    for (const source of sources ?? []) {
      const found = await fs.stat(path.join(root, source)).catch(() => null);
      if (found?.isFile()) await this.#copyFile(root, source, found.size);
      else if (found?.isDirectory()) await this.#copyFolder(source, new Set(), copied);
      else invalid('source', `${show(source)}, which is not in ${show(root)}`, 'folders and files of it');
    }
    if (this.#files.size === 0) invalid('root', `${show(root)}, with no file to copy`, 'a project');
    await this.#checkCwd(kit);
  }

  /** Else the command could not be started, and Node.js would name the program as what is missing. */
  async #checkCwd({ build }: ResolvedKit): Promise<void> {
    const cwd = build.kind === 'none' ? null : build.cwd;
    if (cwd === null) return;
    const found = await fs.stat(path.join(this.root, cwd)).catch(() => null);
    if (found?.isDirectory()) return;
    invalid(
      'build.cwd',
      `${show(cwd)}, which was not copied`,
      'a folder that has sources: name it in "source"',
    );
  }

  /** @param above real paths of the folders that lead here: a link to one of them has no end */
  async #copyFolder(name: string, above: ReadonlySet<string>, copied: Copied): Promise<void> {
    const { root } = copied;
    const real = await fs.realpath(path.join(root, name));
    if (above.has(real)) return;
    const here = new Set([...above, real]);
    await fs.mkdir(path.join(this.root, name), { recursive: true });
    for (const entry of (await fs.readdir(path.join(root, name))).sort()) {
      const file = path.join(name, entry);
      const found = await fs.stat(path.join(root, file)).catch(() => null);
      if (found?.isFile() && file !== copied.addon) await this.#copyFile(root, file, found.size);
      else if (found?.isDirectory() && copied.entersFolder(file)) await this.#copyFolder(file, here, copied);
    }
  }

  async #copyFile(root: string, name: string, size: number): Promise<void> {
    if (this.#files.has(name)) return;
    this.#bytes += size;
    if (this.#files.size >= FILES_MAX || this.#bytes > BYTES_MAX) {
      const found = `more than ${FILES_MAX} files or ${BYTES_MAX / 2 ** 20} MiB below ${show(root)}`;
      invalid('source', found, 'the names of those folders that the build reads');
    }
    const target = path.join(this.root, name);
    await fs.mkdir(path.dirname(target), { recursive: true });
    await fs.copyFile(path.join(root, name), target, constants.COPYFILE_FICLONE);
    this.#files.add(name);
  }
}

/** Which files and folders of a project are for the copy, where they are not named one by one. */
class Copied {
  readonly root: string;
  /** What was built of it: a copy builds its own. */
  readonly addon: string;
  readonly #output: string | null;
  readonly #isAll: boolean;

  constructor({ root, addon, sources }: ResolvedKit) {
    this.root = root;
    this.addon = addon;
    this.#output = outputOf(addon);
    this.#isAll = sources === null;
  }

  /** Whether a file of the root itself is: where sources are named, what tests and tools write beside them is no source. */
  hasFile(name: string): boolean {
    if (name === this.addon || UNREAD.test(name)) return false;
    return this.#isAll || isDescription(name) || name === 'package.json';
  }

  entersFolder(folder: string): boolean {
    return folder !== this.#output && !NEVER.has(path.basename(folder));
  }
}

async function readWhole(file: string): Promise<{ readonly bytes: Buffer; readonly mode: number } | null> {
  const found = await fs.stat(file).catch(() => null);
  return found === null ? null : { bytes: await fs.readFile(file), mode: found.mode };
}

/** A new file in place of the old one: what is copied may be read-only. */
async function replace(target: string, content: string | Uint8Array, mode: number): Promise<void> {
  await fs.mkdir(path.dirname(target), { recursive: true });
  await fs.writeFile(`${target}~`, content, { mode: mode | 0o200 });
  await fs.rename(`${target}~`, target);
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

async function removeFolder(folder: string): Promise<void> {
  await fs.rm(folder, { recursive: true, force: true, maxRetries: 3 });
  keepAtExit(folder);
}
