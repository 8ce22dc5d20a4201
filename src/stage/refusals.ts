/** What the shim refused to copy, as errors: the addon, or a private library of it. */
import type { SourcePath } from '../brands.ts';
import { errors, type ReloadError } from '../errors.ts';
import type { NativeForeign, NativeIncomplete, NativeIoFailure } from '../native.ts';

export function incompleteError(source: SourcePath, result: NativeIncomplete, waitedMs: number): ReloadError {
  const { path, found, bytes } = result;
  if (bytes === 0 && path === source) {
    return errors.notAnAddon({ addon: source, path, reason: 'foreign', found: 'an empty file' });
  }
  return errors.stageIncomplete({ addon: source, path, found, waitedMs: Math.round(waitedMs) });
}

export function foreignError(source: SourcePath, { path, found }: NativeForeign): ReloadError {
  if (path === source) return errors.notAnAddon({ addon: source, path, reason: 'foreign', found });
  return errors.loadFailed({ addon: source, path, found: `the private library is ${found}` });
}

export function ioError(source: SourcePath, failure: NativeIoFailure): ReloadError {
  const { path, operation, errno } = failure;
  if (path === source && (errno === 'ENOENT' || errno === 'ENOTDIR')) {
    return errors.notFound({ addon: source, path });
  }
  return errors.stageIo({ addon: source, path, operation, errno });
}
