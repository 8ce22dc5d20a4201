/** What make or ninja know of the files of a build, whoever has configured it. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { readDepfiles } from './depfiles.ts';
import { isFile, isInside } from './files.ts';
import { readNinjaDeps } from './ninja-deps.ts';
import { findSources, isDescription, isSource } from './sources.ts';
import { type CompiledObject, findObjects } from './stale.ts';

export interface BackendPlace {
  /** Null before it is known, when nothing has been compiled. */
  readonly kind: 'make' | 'ninja' | null;
  /** Absolute folder that it runs in. */
  readonly folder: string;
  /** Absolute folder of the project. */
  readonly root: string;
}

export async function objectsOf(
  outside: Outside,
  { kind, folder }: BackendPlace,
): Promise<readonly CompiledObject[]> {
  if (kind === null) return [];
  return kind === 'ninja' ? readNinjaDeps(outside, folder) : findObjects(outside, folder);
}

/** @returns absolute paths in no order */
export async function inputsOf(outside: Outside, place: BackendPlace): Promise<readonly string[]> {
  const { kind, folder, root } = place;
  const read = new Set<string>();
  if (kind === 'make') for (const file of await readDepfiles(outside, folder, [folder, root])) read.add(file);
  if (kind === 'ninja') {
    const names = (await readNinjaDeps(outside, folder)).flatMap(({ from }) =>
      'names' in from ? from.names : [],
    );
    for (const name of new Set(names)) if (await isFile(outside, name)) read.add(name);
  }
  const output = folder === root ? null : folder;
  // A source that nobody has told of is one that nothing compiled yet, or every one where the tool tells of none.
  const found = await findSources(outside, root, output, read.size > 0 ? isDescription : isSource);
  const inputs = new Set([...read, ...found]);
  if (output !== null) for (const file of inputs) if (isInside(output, file)) inputs.delete(file);
  return [...inputs].map((file) => path.normalize(file));
}
