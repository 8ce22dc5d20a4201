/** What a precompiled header was made of, as a text that tells whether its includes would find the same again. */
import type { Outside } from '../../outside.ts';
import { shadowsOf } from './shadows.ts';
import { type Stamp, stampsOf } from './stamps.ts';

interface Found {
  /** Absolute paths of the headers in it, and of others with the same names. */
  readonly files: readonly string[];
  /** Absolute paths of those that the compiler searches, also of such as are not there. */
  readonly folders: readonly string[];
}

interface MadeOf {
  readonly folders: readonly string[];
  readonly stamps: readonly Stamp[];
}

/**
 * @param beforeMs wall clock, in milliseconds: when the compiler began
 * @returns null when a file cannot be read, or has changed since then
 */
export async function describeFound(
  outside: Outside,
  { files, folders }: Found,
  beforeMs?: number,
): Promise<string | null> {
  const shadows = await shadowsOf(outside, files, folders);
  const stamps = await stampsOf(outside, [...files, ...shadows], beforeMs);
  if (stamps === null) return null;
  const madeOf: MadeOf = { folders, stamps };
  return JSON.stringify(madeOf);
}

/** Whether the files that a text of {@link describeFound} tells of are as they were, and no other has got one of their names. */
export async function isFoundAgain(outside: Outside, text: string): Promise<boolean> {
  const found = parse(text);
  return found !== null && (await describeFound(outside, found)) === text;
}

function parse(text: string): Found | null {
  try {
    const { folders, stamps } = JSON.parse(text) as Partial<Record<keyof MadeOf, unknown>>;
    if (!Array.isArray(folders) || !Array.isArray(stamps)) return null;
    const files = stamps.map((stamp: unknown) => (Array.isArray(stamp) ? String(stamp[0]) : ''));
    return { files, folders: folders.map(String) };
  } catch {
    return null;
  }
}
