/**
 * One build at a time in each folder, whatever handles of this thread ask for it: two makes in one folder break each
 * other's files.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { Builder, BuildOutcome, BuildRequest } from './builder.ts';

interface Project {
  /** Settles when all builds that were asked for have ended. */
  tail: Promise<void>;
  building: boolean;
  /** Files beside the addon itself that builds may write, such as private libraries, of each addon. */
  readonly products: Map<SourcePath, readonly string[]>;
  /** Time and size of each product of an addon, itself among them, as the last build of that addon left it. */
  readonly written: Map<SourcePath, ReadonlyMap<string, string | null>>;
}

/** By real path. One small entry stays for each folder that was ever built. */
const projects = new Map<string, Project>();

/** The same builder, whose builds wait for those of other handles in the same folder. */
export function inTurns(builder: Builder, source: SourcePath, outside: Outside): Builder {
  const project = projectAt(builder.root);
  const build = async (request: BuildRequest): Promise<BuildOutcome> => {
    project.building = true;
    try {
      return await builder.build(request);
    } finally {
      const products = [source, ...(project.products.get(source) ?? [])];
      project.written.set(source, await stampsOf(products, outside));
      project.building = false;
    }
  };
  return {
    root: builder.root,
    inputs: () => builder.inputs(),
    async build(request) {
      const before = project.tail;
      let end = (): void => {};
      const own = new Promise<void>((resolve) => {
        end = resolve;
      });
      project.tail = before.then(() => own);
      try {
        await endedOrAborted(before, request.signal);
        if (request.signal.aborted) {
          throw errors.aborted({ addon: source, during: 'build' }, request.signal.reason);
        }
        return await build(request);
      } finally {
        end();
      }
    },
  };
}

/** Tells which files builds may write for this addon, beside itself. */
export function noteProducts(root: string, source: SourcePath, files: readonly string[]): void {
  projectAt(root).products.set(source, files);
}

/**
 * Whether a file, the addon or a product of it, is as the last build of a handle of this thread left it, or such a
 * build may be writing it.
 */
export async function isBuiltHere(
  root: string,
  source: SourcePath,
  file: string,
  outside: Outside,
): Promise<boolean> {
  const { building, written } = projectAt(root);
  const left = written.get(source)?.get(file);
  return building || (left !== undefined && left === (await stampOf(file, outside)));
}

function projectAt(root: string): Project {
  const key = realPathOf(root);
  const project = projects.get(key) ?? {
    tail: Promise.resolve(),
    building: false,
    products: new Map(),
    written: new Map(),
  };
  projects.set(key, project);
  return project;
}

/** A folder that is not there has no other name: the build in it fails by itself. */
function realPathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return path.resolve(folder);
  }
}

async function endedOrAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener('abort', onAbort, { once: true });
  });
  if (!signal.aborted) await Promise.race([before, aborted]);
  signal.removeEventListener('abort', onAbort);
}

/** Time and size of a file; null when it is not there. */
export async function stampOf(file: string, outside: Outside): Promise<string | null> {
  const found = await outside.stat(file).catch(() => null);
  return found === null ? null : `${found.mtimeMs} ${found.size}`;
}

export async function stampsOf(
  files: readonly string[],
  outside: Outside,
): Promise<ReadonlyMap<string, string | null>> {
  const stamps = new Map<string, string | null>();
  for (const file of files) stamps.set(file, await stampOf(file, outside));
  return stamps;
}
