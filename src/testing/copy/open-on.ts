/** Opens the addon of a copy, and makes a kit of both. */
import os from 'node:os';
import path from 'node:path';
import { Addon } from '../../addon.ts';
import { invalid, show } from '../../option-checks.ts';
import type { OpenOptions } from '../../options.ts';
import { realOutside } from '../../outside.ts';
import { type Copy, Reloadable } from '../reloadable.ts';
import type { Bench, Place } from './bench.ts';
import { isNoExec } from './noexec.ts';

/** The builder is given; this only says that there is one. */
const BUILT_BY_THE_KIT = 'auto';

/**
 * Opens the addon of a copy.
 *
 * @param onClosed called when the copy was given back
 * @throws {@link ReloadError} as `createReloadable` does; the copy was given back then
 */
export async function openOn<T>(
  bench: Bench,
  onClosed: () => Promise<void> = async () => undefined,
): Promise<Reloadable<T>> {
  const place = await bench.take();
  const { root, folder } = place.workspace;
  const { addon: name, open: given } = bench.kit;
  try {
    if (given['stageDir'] === undefined && isNoExec(folder)) {
      const found = `none, and temporary files in ${show(os.tmpdir())}, which is mounted "noexec"`;
      invalid('stageDir', found, 'a folder from which code can be loaded, or TMPDIR set to one');
    }
    const options = {
      stageDir: path.join(folder, 'stage'),
      ...(given as OpenOptions),
      build: BUILT_BY_THE_KIT,
    };
    const addon = await Addon.open<T>(
      path.join(root, name),
      options as OpenOptions,
      realOutside,
      place.builder,
    );
    return new Reloadable<T>({ addon, ...copyOf(bench, place, onClosed) });
  } catch (error) {
    await bench.give(place);
    throw error;
  }
}

function copyOf(bench: Bench, place: Place, onClosed: () => Promise<void>): Copy {
  const { workspace } = place;
  return {
    root: workspace.root,
    edit: (file, change) => workspace.edit(file, change),
    write: (file, content) => workspace.write(file, content),
    build: (signal) => bench.build(place, signal),
    giveBack: () => bench.give(place).finally(onClosed),
  };
}
