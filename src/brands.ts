/**
 * Names for strings and numbers that must not be mixed up. A loader that takes only a {@link StagedPath}
 * cannot be handed the build output by mistake.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Number of a version within one handle: 1, 2, 3 …, never reused. */
export type VersionId = Brand<number, 'VersionId'>;
/** Absolute path of the file that the build writes and that must never be loaded itself. */
export type SourcePath = Brand<string, 'SourcePath'>;
/** Absolute path of a copy in the stage directory: used once, written by nobody else. */
export type StagedPath = Brand<string, 'StagedPath'>;
/** Absolute path of the shim, which Node.js opens once more for each version. */
export type ShimPath = Brand<string, 'ShimPath'>;
/** SHA-256 of the bytes of one file, 64 lower-case hexadecimal digits. */
export type ContentHash = Brand<string, 'ContentHash'>;
/** Names the bytes of an addon and of its private libraries; equal to its hash, as a string, where it has none. */
export type Fingerprint = Brand<string, 'Fingerprint'>;
