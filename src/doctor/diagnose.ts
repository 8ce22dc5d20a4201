/** Looks at an addon without loading it. */
import path from 'node:path';
import type { Native, NativeAnatomy, NativeExamination, NativeImage } from '../native.ts';
import type { Diagnosis, Hazard, HazardCode } from './diagnosis.ts';
import { findHazards } from './hazards.ts';
import { foresee } from './reclaim.ts';

/** What Node.js takes where an addon names no version (NODE_API_DEFAULT_MODULE_API_VERSION). */
const API_VERSION_DEFAULT = 8;

/**
 * Reads an addon, and the libraries that it needs, as files. No code of any of them runs, so a file may be of whatever
 * origin, system and processor.
 *
 * @param file path of the addon, as the loader would find it: `$ORIGIN` is its folder
 */
export function diagnose(file: string, native: Native): Diagnosis {
  const absolute = path.resolve(file);
  const examined = native.examine(absolute);
  if (!examined.ok) return unusable(absolute, hazardOf(absolute, examined));
  const { image, anatomy } = examined;
  const { arch } = image;
  if (anatomy === null) return { ...unusable(absolute, notShared(image)), arch };
  const apiVersion = apiVersionOf(image, anatomy);
  return {
    file: absolute,
    arch,
    entry: image.entry,
    apiVersion,
    needed: image.needed,
    hazards: findHazards({ image, anatomy, apiVersion }),
    reclaim: foresee(anatomy),
  };
}

function apiVersionOf({ entry, hasApiVersion }: NativeImage, { apiVersion }: NativeAnatomy): number | null {
  if (entry === 'v8' || entry === 'none') return null;
  // Whoever registers by a constructor is not asked.
  return entry === 'symbol' && hasApiVersion ? apiVersion : API_VERSION_DEFAULT;
}

function unusable(file: string, hazard: Hazard): Diagnosis {
  const reclaim = foresee(null);
  return { file, arch: null, entry: null, apiVersion: null, needed: [], hazards: [hazard], reclaim };
}

function error(code: HazardCode, detail: string, remedy: string): Hazard {
  return { code, severity: 'error', detail, remedy };
}

function hazardOf(file: string, examined: Exclude<NativeExamination, { ok: true }>): Hazard {
  const found = 'path' in examined && examined.path !== file ? ` (its library "${examined.path}")` : '';
  switch (examined.kind) {
    case 'io':
      return examined.errno === 'ENOENT' || examined.errno === 'ENOTDIR'
        ? error('unreadable', `there is no such file${found}`, 'build it first, or look at the path')
        : error(
            'unreadable',
            `${examined.operation} found ${examined.errno}${found}`,
            'mend that, or choose another file',
          );
    case 'incomplete':
      return error(
        'truncated',
        `${examined.found}${found}`,
        'let the build or download finish, or do it again',
      );
    case 'malformed':
      return error(
        'malformed',
        `${examined.found}${found}`,
        'build it again, and see what has changed the file',
      );
    case 'foreign':
      return error(
        'not-elf',
        `it is ${plainly(examined.found)}${found}`,
        'give the .node file for Linux, built or installed here',
      );
  }
}

/** What the shim says of an empty file is a whole sentence. */
function plainly(found: string): string {
  return found.replace(/^it is /, '');
}

function notShared({ arch }: NativeImage): Hazard {
  return arch === process.arch
    ? error('not-shared', 'it is an ELF file, but no shared object', 'link it with -shared')
    : error(
        'wrong-arch',
        `it is built for ${arch}, this is ${process.arch}`,
        'build it here, or install the package on this machine',
      );
}
