/**
 * Types as a reader outside of the package can read them: by the names that can be imported, and without ways through names
 * that cannot. No types are computed: all is taken from what is written.
 */
import type { ESTree } from 'vite';
import { type Module, type Origin, originOf } from './module.ts';

/** The names that can be imported, by {@link keyOf} of what they stand for. */
export type PublicNames = ReadonlyMap<string, string>;

export function keyOf({ module, name }: Origin): string {
  return `${module.file}#${name}`;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Edit extends Range {
  readonly text: string;
}

/** A type that is used where it can be imported, but cannot be itself. */
export interface HiddenType {
  readonly name: string;
  readonly text: string;
}

/** Writes out types of one module, and remembers which names in them nobody can import. */
export class TypePrinter {
  readonly #module: Module;
  readonly #names: PublicNames;
  readonly #hidden: Map<string, Origin>;

  constructor(module: Module, names: PublicNames, hidden: Map<string, Origin> = new Map()) {
    this.#module = module;
    this.#names = names;
    this.#hidden = hidden;
  }

  /**
   * As it is written, but for names.
   *
   * @param range what of it
   * @param given what else is to stand where
   */
  print(node: ESTree.Node, range: Range = node, given: readonly Edit[] = []): string {
    const { start, end } = range;
    const edits = [...given, ...this.#editsIn(node, range, given)].sort(
      (one, other) => one.start - other.start,
    );
    let text = '';
    let at = start;
    for (const edit of edits) {
      text += this.#module.text.slice(at, edit.start) + edit.text;
      at = edit.end;
    }
    return text + this.#module.text.slice(at, end);
  }

  /** One for another module, which remembers names in the same list. */
  of(module: Module): TypePrinter {
    return new TypePrinter(module, this.#names, this.#hidden);
  }

  /** Declarations of the names that nobody can import, and of those that they use in their turn. */
  hidden(): readonly HiddenType[] {
    const types = new Map<string, HiddenType>();
    // It grows while it is walked.
    for (const [key, origin] of this.#hidden) {
      const inner = this.of(origin.module);
      const parts = origin.declared.map(({ node }) => inner.print(node).replace(/^declare /, ''));
      types.set(key, { name: origin.name, text: parts.join('\n') });
    }
    return [...types.values()];
  }

  #editsIn(root: ESTree.Node, range: Range, given: readonly Edit[]): readonly Edit[] {
    const edits: Edit[] = [];
    const visit = (node: ESTree.Node): void => {
      if (node.start >= range.end || node.end <= range.start) return;
      if (given.some(({ start, end }) => node.start >= start && node.end <= end)) return;
      const resolved = node.type === 'TSIndexedAccessType' ? this.#lookUp(node) : null;
      if (resolved !== null) {
        edits.push({ start: node.start, end: node.end, text: resolved });
        return;
      }
      const named = identifierOf(node);
      if (named !== null) {
        const text = this.#nameFor(named.name);
        if (text !== named.name) edits.push({ start: named.start, end: named.end, text });
      }
      for (const child of childrenOf(node)) visit(child);
    };
    visit(root);
    return edits;
  }

  #nameFor(name: string): string {
    const origin = originOf(this.#module, name);
    if (origin === null) return name;
    const known = this.#names.get(keyOf(origin));
    if (known === undefined) this.#hidden.set(keyOf(origin), origin);
    return known ?? name;
  }

  /** `(typeof TOOLS)[number]` and `State['name']`: what that is, where nobody can import what it is taken from. */
  #lookUp({ objectType, indexType }: ESTree.TSIndexedAccessType): string | null {
    const object = objectType.type === 'TSParenthesizedType' ? objectType.typeAnnotation : objectType;
    if (object.type === 'TSTypeQuery' && object.exprName.type === 'Identifier') {
      const origin = originOf(this.#module, object.exprName.name);
      return indexType.type === 'TSNumberKeyword' && origin !== null ? elementsOf(origin) : null;
    }
    if (object.type !== 'TSTypeReference' || object.typeName.type !== 'Identifier') return null;
    const origin = originOf(this.#module, object.typeName.name);
    if (origin === null || this.#names.has(keyOf(origin))) return null;
    if (indexType.type !== 'TSLiteralType' || indexType.literal.type !== 'Literal') return null;
    const key = String(indexType.literal.value);
    const inner = this.of(origin.module);
    const found = origin.declared.flatMap(({ node }) => membersCalled(key, node));
    return found.length === 0 ? null : [...new Set(found.map((member) => inner.print(member)))].join(' | ');
  }
}

/** The types of a tuple, as one may write them. */
function elementsOf({ module, declared }: Origin): string | null {
  const [first] = declared;
  if (first?.node.type !== 'VariableDeclaration') return null;
  const id = first.node.declarations[0]?.id;
  const annotation = id?.type === 'Identifier' ? id.typeAnnotation?.typeAnnotation : undefined;
  const tuple = annotation?.type === 'TSTypeOperator' ? annotation.typeAnnotation : annotation;
  if (tuple?.type !== 'TSTupleType') return null;
  return tuple.elementTypes
    .map(({ start, end }) => module.text.slice(start, end).replace(/^"(.*)"$/, "'$1'"))
    .join(' | ');
}

function membersCalled(key: string, node: ESTree.Node): readonly ESTree.TSType[] {
  switch (node.type) {
    case 'TSInterfaceDeclaration':
      return propertiesCalled(key, node.body.body);
    case 'TSTypeAliasDeclaration':
      return membersCalled(key, node.typeAnnotation);
    case 'TSUnionType':
      return node.types.flatMap((type) => membersCalled(key, type));
    case 'TSTypeLiteral':
      return propertiesCalled(key, node.members);
    default:
      return [];
  }
}

function propertiesCalled(key: string, members: readonly ESTree.TSSignature[]): readonly ESTree.TSType[] {
  return members.flatMap((member) =>
    member.type === 'TSPropertySignature' &&
    member.key.type === 'Identifier' &&
    member.key.name === key &&
    member.typeAnnotation
      ? [member.typeAnnotation.typeAnnotation]
      : [],
  );
}

/** The name of a type that a node uses. */
function identifierOf(node: ESTree.Node): (Range & { readonly name: string }) | null {
  const name =
    node.type === 'TSTypeReference'
      ? node.typeName
      : node.type === 'TSTypeQuery'
        ? node.exprName
        : node.type === 'TSInterfaceHeritage'
          ? node.expression
          : null;
  return name?.type === 'Identifier' ? name : null;
}

function childrenOf(node: ESTree.Node): readonly ESTree.Node[] {
  return Object.values(node)
    .flatMap((value: unknown) => (Array.isArray(value) ? value : [value]))
    .filter(
      (value): value is ESTree.Node =>
        typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string',
    );
}
