/**
 * What the headers for addon authors declare, with the comments above. It knows as much of C and C++ as these headers need:
 * comments of `//`, one declaration after another, and names that end in `_` are for nobody.
 */

export interface HeaderItem {
  readonly name: string;
  /** As a reader needs it: without bodies of functions, and without what is private. */
  readonly code: string;
  readonly comment: string;
}

export interface Header {
  /** What it says of itself. */
  readonly about: string;
  readonly items: readonly HeaderItem[];
}

export function readHeader(text: string): Header {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  const items: HeaderItem[] = [];
  let comment: string[] = [];
  for (let at = end; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line.startsWith('//')) comment.push(line);
    // What stands above it is meant for what stands in it.
    else if (!line.startsWith('#ifndef')) {
      const length = line === '' || line.startsWith('namespace') ? 0 : lengthOf(lines.slice(at));
      if (length > 0) {
        const item = describeItem(lines.slice(at, at + length).join('\n'), comment);
        if (item !== null) items.push(item);
        at += length - 1;
      }
      comment = [];
    }
  }
  return { about: prose(lines.slice(0, end)), items };
}

/** How many lines a statement has, or a command of the preprocessor. */
function lengthOf(lines: readonly string[]): number {
  if (lines[0]?.startsWith('#')) return lines.findIndex((line) => !line.endsWith('\\')) + 1;
  let depth = 0;
  for (const [index, line] of lines.entries()) {
    const code = withoutText(line);
    depth += (code.match(/[({]/g)?.length ?? 0) - (code.match(/[)}]/g)?.length ?? 0);
    if (depth <= 0 && /[;}]\s*$/.test(code)) return index + 1;
  }
  return 1;
}

function describeItem(code: string, comment: readonly string[]): HeaderItem | null {
  const name = nameOf(code);
  if (name === null || name.endsWith('_') || /_H(?:PP)?_$/.test(name)) return null;
  return { name, code: shorten(code), comment: prose(comment) };
}

function nameOf(code: string): string | null {
  const patterns = [
    /^#define (\w+)/,
    /^typedef [\s\S]*\} (\w+);$/,
    /^(?:template <[^>]*>\n)?(?:class|struct|enum class) (\w+)/,
    /^NAPI_RELOAD_INLINE_ [^(]*?(\w+)\(/,
  ];
  return patterns.map((pattern) => pattern.exec(code)?.[1]).find((name) => name !== undefined) ?? null;
}

function shorten(code: string): string {
  if (code.startsWith('#define')) return code.replace(/\s*\\\n[\s\S]*$/, '');
  if (code.startsWith('NAPI_RELOAD_INLINE_')) return functionOf(code).replace(/\n\s+/g, ' ');
  const [, head = '', body = '', tail = ''] =
    /^((?:template <[^>]*>\n)?(?:class|struct)[^{]*\{)\n([\s\S]*)\n(\};)$/.exec(code) ?? [];
  return head === '' ? code : [head, publicPart(body, head.includes('class')), tail].join('\n');
}

/** Members one by one: their bodies are left out, and what is private. */
function publicPart(body: string, isClass: boolean): string {
  const lines = body.split('\n');
  const kept: string[] = [];
  let isPublic = !isClass;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const [, access] = /^ (public|private):$/.exec(line) ?? [];
    if (access !== undefined) {
      isPublic = access === 'public';
      if (isPublic) kept.push(line);
    } else if (/^\s*(?:\/\/|$|template)/.test(line)) {
      if (isPublic) kept.push(line);
    } else {
      const length = lengthOf(lines.slice(at));
      if (isPublic) kept.push(functionOf(lines.slice(at, at + length).join('\n')));
      at += length - 1;
    }
  }
  return kept
    .filter((line) => !/^\s*static_assert/.test(line))
    .join('\n')
    .replace(/\n{2,}/g, '\n\n')
    .trimEnd();
}

/** Up to its body, or to the list of what a constructor sets. */
function functionOf(code: string): string {
  const [, head] = /^([\s\S]*?\)(?: const)?)\s*(?:\{|:\s)[\s\S]*$/.exec(code) ?? [];
  return head === undefined ? code : `${head};`.replace('NAPI_RELOAD_INLINE_ ', '');
}

/** Markdown of a comment; what is indented in it is code. */
function prose(lines: readonly string[]): string {
  const text = lines.map((line) => line.replace(/^\/\/ ?/, ''));
  const parts: string[] = [];
  for (const line of text) {
    const isCode = line.startsWith('  ');
    const last = parts.at(-1);
    const isInCode = last?.startsWith('```') === true;
    if (isCode && !isInCode) parts.push(`\`\`\`cpp\n${line.slice(2)}`);
    else if (isInCode && (isCode || line === '')) parts[parts.length - 1] += `\n${line.slice(2)}`;
    else if (line === '' || last === undefined || isInCode || last === '') parts.push(line);
    else parts[parts.length - 1] += `\n${line}`;
  }
  return parts
    .filter((part) => part !== '')
    .map((part) => (part.startsWith('```') ? `${part.trimEnd()}\n\`\`\`` : part))
    .join('\n\n');
}

/** Without comments and strings, whose brackets mean nothing. */
function withoutText(line: string): string {
  return line.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\/\/.*$/, '');
}
