/** One declaration file: what it declares, and where the names come from that it uses. */
import fs from 'node:fs';
import path from 'node:path';
import { type ESTree, parseSync } from 'vite';
import { type DocComment, NO_COMMENT, parseDocComment } from './doc-comment.ts';

export interface Module {
  readonly file: string;
  readonly text: string;
  /** The comment that stands right before this offset. */
  commentBefore(start: number): DocComment;
  /** Declarations by their names, overloads in their order. */
  readonly declared: ReadonlyMap<string, readonly Declared[]>;
  /** Names of other files, by those that they have here. */
  readonly imported: ReadonlyMap<string, Foreign>;
  /** What others can import, by the names that they import; `default`, too. */
  readonly exported: ReadonlyMap<string, Foreign>;
}

export interface Declared {
  readonly node: ESTree.Declaration;
  /** Where its statement begins. */
  readonly start: number;
}

interface Foreign {
  readonly file: string;
  readonly name: string;
}

/** A declaration, and the file that has it. */
export interface Origin {
  readonly module: Module;
  readonly name: string;
  readonly declared: readonly Declared[];
}

const read = new Map<string, { readonly text: string; readonly module: Module }>();

/** @throws when it is no TypeScript */
export function readModule(file: string): Module {
  const text = fs.readFileSync(file, 'utf8');
  const before = read.get(file);
  if (before?.text === text) return before.module;
  const { program, comments, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`Cannot read ${file}: ${errors[0].message}`);
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  const commentBefore = (start: number): DocComment => {
    const comment = docs.findLast(({ end }) => end <= start && text.slice(end, start).trim() === '');
    return comment === undefined ? NO_COMMENT : parseDocComment(comment.value);
  };
  const module = { file, text, commentBefore, ...namesOf(program, file) };
  read.set(file, { text, module });
  return module;
}

/** @returns null for what TypeScript or a package declares */
export function originOf(module: Module, name: string): Origin | null {
  const declared = module.declared.get(name);
  if (declared !== undefined) return { module, name, declared };
  const from = module.imported.get(name);
  return from === undefined ? null : exportOf(readModule(from.file), from.name);
}

/** @throws when the file exports no such thing */
export function exportOf(module: Module, name: string): Origin {
  const from = module.exported.get(name);
  if (from === undefined) throw new Error(`Wanted ${name} in ${module.file}, found none`);
  if (from.file !== module.file) return exportOf(readModule(from.file), from.name);
  const origin = originOf(module, from.name);
  if (origin === null) throw new Error(`Wanted ${name} in ${module.file}, found none`);
  return origin;
}

function namesOf(program: ESTree.Program, file: string): Pick<Module, 'declared' | 'imported' | 'exported'> {
  const declared = new Map<string, Declared[]>();
  const imported = new Map<string, Foreign>();
  const exported = new Map<string, Foreign>();
  const target = (source: string): string => path.join(path.dirname(file), source.replace(/\.ts$/, '.d.ts'));
  const declare = (node: ESTree.Declaration, start: number): string => {
    const name = nameOfDeclaration(node);
    declared.set(name, [...(declared.get(name) ?? []), { node, start }]);
    return name;
  };
  for (const node of program.body) {
    if (node.type === 'ImportDeclaration') {
      if (!node.source.value.startsWith('.')) continue;
      for (const item of node.specifiers) {
        const name = item.type === 'ImportSpecifier' ? nameOf(item.imported) : 'default';
        imported.set(item.local.name, { file: target(node.source.value), name });
      }
    } else if (node.type === 'ExportDefaultDeclaration') {
      if (node.declaration.type === 'Identifier')
        exported.set('default', { file, name: node.declaration.name });
    } else if (node.type === 'ExportNamedDeclaration') {
      if (node.declaration !== null) {
        const name = declare(node.declaration, node.start);
        exported.set(name, { file, name });
      }
      const from = node.source === null ? file : target(node.source.value);
      for (const item of node.specifiers) {
        exported.set(nameOf(item.exported), { file: from, name: nameOf(item.local) });
      }
    } else if ('declare' in node || node.type.startsWith('TS')) {
      declare(node as ESTree.Declaration, node.start);
    }
  }
  return { declared, imported, exported };
}

function nameOfDeclaration(node: ESTree.Declaration): string {
  if (node.type === 'VariableDeclaration') {
    const id = node.declarations[0]?.id;
    return id?.type === 'Identifier' ? id.name : '';
  }
  return 'id' in node && node.id?.type === 'Identifier' ? node.id.name : '';
}

function nameOf(name: ESTree.ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}
