/** Looks at a staged file before any of its code can run. */
import type { SourcePath, StagedPath } from '../brands.ts';
import { errors, type ReloadError } from '../errors.ts';
import type { NativeImage, NativeStaged } from '../native.ts';
import type { Here } from '../here.ts';

const ENTRY_MISSING = 'no Node-API entry point';
const V8_ENTRY = 'an addon for the C++ ABI of V8 and Node.js';

/**
 * Facts of an image that can be loaded.
 *
 * @throws `ERR_NOT_AN_ADDON`, `ERR_WRONG_ARCH`, `ERR_STAGE_IO`
 */
export function inspect(
  { path, image: known }: { readonly path: StagedPath; readonly image: NativeStaged['image'] },
  source: SourcePath,
  outside: Here,
): NativeImage {
  const image = known ?? outside.native.inspect(path);
  if (!image.ok) {
    if (image.kind === 'io') {
      throw errors.stageIo({
        addon: source,
        path: image.path,
        operation: image.operation,
        errno: image.errno,
      });
    }
    throw notAnAddon(source, image.kind, image.found);
  }
  if (image.arch !== process.arch) {
    throw errors.wrongArch({ addon: source, path: source, found: image.arch, wanted: process.arch });
  }
  if (!image.sharedObject) throw notAnAddon(source, 'not-shared', 'an ELF file that is no shared object');
  if (image.entry === 'v8') throw notAnAddon(source, 'v8-abi', V8_ENTRY);
  if (image.entry === 'none') throw notAnAddon(source, 'no-entry', ENTRY_MISSING);
  return image;
}

function notAnAddon(
  source: SourcePath,
  reason: 'foreign' | 'malformed' | 'not-shared' | 'no-entry' | 'v8-abi',
  found: string,
): ReloadError {
  return errors.notAnAddon({ addon: source, path: source, reason, found });
}
