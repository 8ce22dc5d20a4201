/** Words of a command line as tools print it: for /bin/sh, with nothing in it to expand. */

/** @returns null when it has an open quote, or is more than one plain command */
export function splitShellWords(line: string): readonly string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === ' ' || char === '\t') {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === "'") {
      const end = line.indexOf("'", at + 1);
      if (end === -1) return null;
      word = (word ?? '') + line.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      const quoted = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(line.slice(at));
      if (quoted === null) return null;
      word = (word ?? '') + (quoted[1] ?? '').replace(/\\(["\\$`])/g, '$1');
      at += quoted[0].length - 1;
    } else if (char === '\\') {
      at += 1;
      word = (word ?? '') + line.charAt(at);
    } else if (';|&<>()`$'.includes(char)) {
      return null;
    } else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  return words;
}
