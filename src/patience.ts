/** Looks at files that fail for want of descriptors, memory or luck are made again: they say nothing of the files. */
import type { Outside } from './outside.ts';

/** Looks in a row, of which the last one counts whatever it says. */
const LOOKS_MAX = 4;
/** Rest before the second look, in milliseconds; twice as long before each further one. */
const REST_FIRST_MS = 5;

/** What says that nothing is there. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);
/** What another look right after it would say again. */
const LASTING: ReadonlySet<string> = new Set([...ABSENT, 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']);

/** @throws what the last look threw */
export async function patiently<T>(outside: Outside, look: () => Promise<T>): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await look();
    } catch (error) {
      if (looks === LOOKS_MAX || LASTING.has(codeOf(error))) throw error;
      await new Promise<void>((resolve) => outside.after(REST_FIRST_MS * 2 ** (looks - 1), resolve));
    }
  }
}

/** Whether a look at a file failed because there is none. */
export function isAbsent(error: unknown): boolean {
  return ABSENT.has(codeOf(error));
}

/** The word for a failure of the system, such as `EMFILE`. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}
