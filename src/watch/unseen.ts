/** Files that changed and could not be looked at: each is looked at again, until it is seen or is known to have gone. */
import type { FileStats, Outside } from '../outside.ts';
import { isAbsent } from '../patience.ts';

/** How often in a row a file may be looked at in vain. With their rests these take 5 s. */
export const LOOKS_MAX = 9;
/** Rest before the second look, in milliseconds; twice as long before each further one. */
export const REST_FIRST_MS = 20;

interface Waiting {
  /** How often it was looked at in vain. */
  readonly looks: number;
  cancel(): void;
}

export class Unseen {
  readonly #outside: Outside;
  readonly #again: (file: string) => void;
  readonly #waiting = new Map<string, Waiting>();

  /** @param again gets a file that is to be looked at once more */
  constructor(outside: Outside, again: (file: string) => void) {
    this.#outside = outside;
    this.#again = again;
  }

  /** It could not be seen. @returns false when it has not been for {@link LOOKS_MAX} times: it is forgotten */
  add(file: string): boolean {
    const looks = (this.#waiting.get(file)?.looks ?? 0) + 1;
    this.forget(file);
    if (looks === LOOKS_MAX) return false;
    const cancel = this.#outside.after(REST_FIRST_MS * 2 ** (looks - 1), () => this.#again(file));
    this.#waiting.set(file, { looks, cancel });
    return true;
  }

  forget(file: string): void {
    this.#waiting.get(file)?.cancel();
    this.#waiting.delete(file);
  }

  clear(): void {
    for (const file of [...this.#waiting.keys()]) this.forget(file);
  }
}

/**
 * @returns null when no file is there
 * @throws what else kept it from being seen
 */
export async function fileAt(outside: Outside, file: string): Promise<FileStats | null> {
  try {
    const found = await outside.stat(file);
    return found.isFile() ? found : null;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}
