/** Text of a file that may be hostile, for a terminal. */

/** @returns one line, in which nothing can move the cursor, change a colour or begin another line */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
