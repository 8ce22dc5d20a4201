/** What `createReloadable` takes, and the full form of it. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInside } from '../build/files.ts';
import { type ResolvedBuild, resolveBuild } from '../build-options.ts';
import { asRecord, invalid, show, strings, text } from '../option-checks.ts';
import { type HostedOpenOptions, type OpenOptions, type Options, resolveOptions } from '../options.ts';

/** What belongs to the kit alone. */
export interface KitOptions {
  /** The built `.node` file, relative to `root`. It need not be there: the copy is built. */
  readonly addon: string;
  /**
   * The folder of the project, as a path or a file URL.
   *
   * @defaultValue the working directory; with `napi-reload/vitest` the root of vitest, which a relative one is relative to
   */
  readonly root?: string | URL;
  /**
   * Folders and files of `root` that the build reads. The files of `root` itself, such as binding.gyp, are copied in any
   * case, and packages are found where they are.
   *
   * @defaultValue all of `root` but packages, hidden files and what builds write
   */
  readonly source?: string | readonly string[];
  /**
   * Who builds the copy, as in `open()`. A `cwd` is relative to `root`. @defaultValue 'auto'
   */
  readonly build?: Exclude<OpenOptions['build'], false>;
  /**
   * Whether builds are kept by what they are made from, in `node_modules/.cache`; or a folder, relative to `root`, in which
   * they have one of their own.
   *
   * @defaultValue true
   */
  readonly cache?: boolean | string;
}

type Replaced = keyof KitOptions | 'watch' | 'onProgress' | 'signal';

/** What {@link createReloadable} takes: how to build a copy of the project, and the options of `open()`. */
export interface ReloadableOptions extends KitOptions, Omit<OpenOptions, Replaced> {}

/** The same for versions that run in Workers or processes. */
export interface HostedReloadableOptions extends KitOptions, Omit<HostedOpenOptions, Replaced> {}

export interface ResolvedKit {
  /** Absolute. */
  readonly root: string;
  /** Relative to `root`. */
  readonly addon: string;
  /** Relative to `root`; null for all of it. */
  readonly sources: readonly string[] | null;
  readonly build: ResolvedBuild;
  readonly cache: boolean | string;
  /** For `open()`, as they were given. */
  readonly open: Readonly<Record<string, unknown>>;
  readonly buildTimeoutMs: Options['buildTimeoutMs'];
}

/**
 * @param base where a root is that is not given, and what one is relative to
 * @throws `ERR_INVALID_OPTION` at the first option that cannot be used
 */
export function resolveKit(given: unknown, base = '.'): ResolvedKit {
  const { addon, root, source, build, cache, ...open } = asRecord(given, 'options');
  for (const name of ['watch', 'onProgress', 'signal']) {
    if (open[name] !== undefined)
      invalid(name, show(open[name]), 'nothing: a test says itself when it builds and reloads');
  }
  const { buildTimeoutMs } = resolveOptions(open);
  const folder = resolveRoot(root, base);
  const named = text('addon', addon) ?? invalid('addon', 'nothing', 'the path of the .node file, below root');
  return {
    root: folder,
    addon: belowRoot(folder, 'addon', named),
    sources: resolveSources(folder, source),
    build: resolveKitBuild(folder, build ?? 'auto'),
    cache: resolveCache(folder, cache),
    open,
    buildTimeoutMs,
  };
}

function resolveRoot(value: unknown, base: string): string {
  if (value instanceof URL) {
    if (value.protocol !== 'file:') invalid('root', show(value.href), 'a path or a file URL');
    return path.resolve(fileURLToPath(value));
  }
  return path.resolve(base, text('root', value) ?? '.');
}

function resolveSources(root: string, value: unknown): readonly string[] | null {
  if (value === undefined) return null;
  const names = typeof value === 'string' ? [value] : strings('source', value);
  if (names.length === 0) invalid('source', 'no names', 'folders and files of the project');
  const sources = names.map((name) => belowRoot(root, 'source', text('source', name) ?? ''));
  return sources.includes('') ? null : sources;
}

/** Where a build runs is a folder of the copy; so the name of it must be one below the root. */
function resolveKitBuild(root: string, value: unknown): ResolvedBuild {
  const build = resolveBuild(value);
  if (build.kind === 'none')
    return invalid('build', show(value), 'a builder: what is to be reloaded must be built');
  const cwd = build.cwd === null ? null : belowRoot(root, 'build.cwd', build.cwd);
  return { ...build, cwd };
}

function resolveCache(root: string, value: unknown): boolean | string {
  if (value === undefined || typeof value === 'boolean') return value ?? true;
  return path.resolve(root, text('cache', value) ?? '');
}

/** @returns the path relative to `root`, without `.` and `..` in it; empty for `root` itself */
export function belowRoot(root: string, option: string, name: string): string {
  const file = path.resolve(root, name);
  if (isInside(root, file)) return path.relative(root, file);
  return invalid(option, show(name), `a path below the root ${JSON.stringify(root)}`);
}
