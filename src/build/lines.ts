/** Text that arrives in pieces, cut into lines without colours. */

/** Longest line that is kept whole, in UTF-16 units; the rest of a longer one may be lost. */
export const LINE_LENGTH_MAX = 8_192;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences begin with ESC
const TERMINAL_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))/g;

export interface LineSplitter {
  push(chunk: string): void;
  /** Hands out what came after the last line break. */
  end(): void;
}

/** Calls `onLine` for each line, without its line break, a carriage return before it, and terminal sequences. */
export function splitLines(onLine: (line: string) => void): LineSplitter {
  let rest = '';
  const emit = (line: string) => onLine(line.replace(TERMINAL_SEQUENCE, '').replace(/\r$/, ''));
  return {
    push(chunk) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) emit(line.slice(0, LINE_LENGTH_MAX));
      while (rest.length > LINE_LENGTH_MAX) {
        emit(rest.slice(0, LINE_LENGTH_MAX));
        rest = rest.slice(LINE_LENGTH_MAX);
      }
    },
    end() {
      if (rest !== '') emit(rest);
      rest = '';
    },
  };
}
