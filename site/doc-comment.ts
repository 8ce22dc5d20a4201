/** What a comment above a declaration says, in its parts. */
export interface DocComment {
  /** Markdown, up to the first tag. */
  readonly text: string;
  readonly tags: readonly DocTag[];
}

export interface DocTag {
  readonly name: string;
  readonly text: string;
}

export const NO_COMMENT: DocComment = { text: '', tags: [] };

/** Also within a line, as short comments have it; an `@` of anything else is text. */
const TAG = /(?<=^|\s)@(?=(?:defaultValue|example|internal|param|returns|throws|typeParam)\b)/m;

/** @param body what stands between the slashes, stars included */
export function parseDocComment(body: string): DocComment {
  const lines = body
    .replace(/^\*\s*|\*$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  // A glob in a comment is written so that it does not end the comment.
  const [text = '', ...tagged] = lines.join('\n').replaceAll('*\\/', '*/').split(TAG);
  return {
    text: text.trim(),
    tags: tagged.map((tag) => {
      const name = /^\w+/.exec(tag)?.[0] ?? '';
      return { name, text: tag.slice(name.length).trim() };
    }),
  };
}

export function tagsOf({ tags }: DocComment, name: string): readonly string[] {
  return tags.filter((tag) => tag.name === name).map(({ text }) => text);
}
