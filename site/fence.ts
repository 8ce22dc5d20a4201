/**
 * What stands behind the language of a fenced block. Each block of a page says with it how the tests use it:
 *
 * - `file=main.mjs`: the block is a file of the page's project
 * - `run`: the block is run in that project, in the order of the page; `needs=rustc` names a program without which it is not
 * - `output`: the block is what the run before it prints
 * - `not-run="why"`: none of these, and the reason
 */
export interface Fence {
  readonly language: string;
  readonly file: string | null;
  readonly runs: boolean;
  readonly needs: string | null;
  readonly isOutput: boolean;
  readonly notRun: string | null;
  /** Words that mean nothing, such as a misspelt one. */
  readonly unknown: readonly string[];
}

export function parseFence(info: string): Fence {
  const [language = '', ...words] = info.trim().match(/[\w-]+="[^"]*"|\S+/g) ?? [];
  const wordOf = (key: string): string | null =>
    words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1) ?? null;
  return {
    language,
    file: wordOf('file'),
    runs: words.includes('run'),
    needs: wordOf('needs'),
    isOutput: words.includes('output'),
    notRun: wordOf('not-run')?.replace(/^"|"$/g, '') ?? null,
    unknown: words.filter((word) => !/^(?:run|output|(?:file|needs)=[^"]+|not-run="[^"]+")$/.test(word)),
  };
}
