/** Text of a file that may be hostile, for a terminal. */

/** @returns one line, in which nothing can move the cursor, change a colour or begin another line */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Control characters but for tabs and line breaks, and but for what begins a colour. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is how a colour begins
const CONTROLS = /(?!\x1b\[[\d;]*m)[^\P{Cc}\t\n]/gu;

/** @returns the same lines, with colours, in which nothing else means anything to a terminal */
export function printableLines(text: string): string {
  return text.replace(CONTROLS, printable);
}
