/** What is loaded, and what the system's loader says when it cannot be. */
import type { SourcePath, StagedPath, VersionId } from '../brands.ts';
import { errors, type ReloadError } from '../errors.ts';
import type { NativeImage, NativeShare } from '../native.ts';

export interface LoadRequest {
  readonly id: VersionId;
  readonly path: StagedPath;
  readonly source: SourcePath;
  readonly image: NativeImage;
  /** Null for an image of its own. */
  readonly share: NativeShare | null;
  /** Ends the wait for another thread. */
  readonly signal: AbortSignal;
}

/** glibc's words: "<file>: undefined symbol: <name>", sometimes with ", version <version>" behind. */
export function loaderError({ source, path }: LoadRequest, message: string, cause?: unknown): ReloadError {
  const symbol = /undefined symbol: ([^\s,]+)/.exec(message)?.[1];
  if (symbol !== undefined) return errors.undefinedSymbol({ addon: source, path: source, symbol });
  return errors.loadFailed({ addon: source, path: source, found: message.replaceAll(path, source) }, cause);
}
