/** What a module declares and exports again, read from its declaration file. No types are resolved: they are all written there. */
import fs from 'node:fs';
import path from 'node:path';
import { type ESTree, parseSync } from 'vite';
import { type DocComment, NO_COMMENT, parseDocComment, tagsOf } from './doc-comment.ts';

export interface Declaration {
  readonly name: string;
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'value';
  /** As they are written, without comments; one for each overload. */
  readonly signatures: readonly string[];
  readonly comment: DocComment;
  /** Of a class or an interface. */
  readonly members: readonly Member[];
}

export interface Member {
  readonly name: string;
  readonly signature: string;
  readonly comment: DocComment;
}

/**
 * @param file a declaration file, such as `dist/index.d.ts`
 * @returns what can be imported from it, in its order
 */
export function exportsOf(file: string): readonly Declaration[] {
  const { text, program, commentBefore } = parse(file);
  const found = new Map<string, Declaration>();
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration') continue;
    if (node.declaration !== null) {
      const declared = declarationOf(node.declaration, commentBefore(node.start), text, commentBefore);
      const before = found.get(declared.name);
      found.set(declared.name, before === undefined ? declared : joined(before, declared));
    } else if (node.source !== null) {
      const from = path.join(path.dirname(file), node.source.value.replace(/\.ts$/, '.d.ts'));
      const there = new Map(exportsOf(from).map((declaration) => [declaration.name, declaration]));
      for (const { local, exported } of node.specifiers) {
        const declaration = there.get(nameOf(local));
        if (declaration === undefined) throw new Error(`Wanted ${nameOf(local)} in ${from}, found none`);
        found.set(nameOf(exported), { ...declaration, name: nameOf(exported) });
      }
    }
  }
  return [...found.values()];
}

type CommentBefore = (start: number) => DocComment;

function parse(file: string): {
  readonly text: string;
  readonly program: ESTree.Program;
  readonly commentBefore: CommentBefore;
} {
  const text = fs.readFileSync(file, 'utf8');
  const { program, comments, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`Cannot read ${file}: ${errors[0].message}`);
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  return {
    text,
    program,
    commentBefore: (start) => {
      const comment = docs.findLast(({ end }) => end <= start && text.slice(end, start).trim() === '');
      return comment === undefined ? NO_COMMENT : parseDocComment(comment.value);
    },
  };
}

function declarationOf(
  node: ESTree.Declaration,
  comment: DocComment,
  text: string,
  commentBefore: CommentBefore,
): Declaration {
  const written = text.slice(node.start, node.end).replace(/^declare /, '');
  const base = { comment, signatures: [withoutComments(written)], members: [] };
  switch (node.type) {
    case 'TSInterfaceDeclaration':
    case 'ClassDeclaration': {
      const { body } = node;
      const members = body.body
        .map((member): Member => {
          const whole = text.slice(member.start, member.end);
          const key = 'key' in member ? text.slice(member.key.start, member.key.end) : '';
          return { name: key, signature: withoutComments(whole), comment: commentBefore(member.start) };
        })
        .filter(({ name, comment: { tags } }) => !name.startsWith('#') && !tags.some(isInternal));
      const head = text
        .slice(node.start, body.start)
        .replace(/^declare /, '')
        .trim();
      const kind = node.type === 'ClassDeclaration' ? 'class' : 'interface';
      return { ...base, name: node.id?.name ?? '', kind, signatures: [head], members };
    }
    case 'TSTypeAliasDeclaration':
      // The parts of a union have comments of their own.
      return { ...base, name: node.id.name, kind: 'type', signatures: [written] };
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
      return { ...base, name: node.id?.name ?? '', kind: 'function' };
    case 'VariableDeclaration': {
      const id = node.declarations[0]?.id;
      return { ...base, name: id?.type === 'Identifier' ? id.name : '', kind: 'value' };
    }
    default:
      throw new Error(`Cannot tell what ${node.type} declares`);
  }
}

const isInternal = ({ name }: { readonly name: string }): boolean => name === 'internal';

/** The overloads of a function; the first one that has a comment speaks for all. */
function joined(first: Declaration, next: Declaration): Declaration {
  const comment =
    tagsOf(first.comment, 'internal').length > 0 || first.comment === NO_COMMENT
      ? next.comment
      : first.comment;
  return { ...first, signatures: [...first.signatures, ...next.signatures], comment };
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '');
}

function nameOf(name: ESTree.ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}
