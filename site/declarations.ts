/** What a module declares and exports again, read from its declaration file. */
import type { ESTree } from 'vite';
import { type DocComment, NO_COMMENT, tagsOf } from './doc-comment.ts';
import { exportOf, type Module, type Origin, originOf, readModule } from './module.ts';
import { type HiddenType, keyOf, type PublicNames, TypePrinter } from './types.ts';

export interface Declaration {
  readonly name: string;
  /** The same for two names of one thing, and for one name in several modules. */
  readonly key: string;
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'value';
  /** Without comments, one for each overload. */
  readonly signatures: readonly string[];
  readonly comment: DocComment;
  /** Of a class or an interface, with those of bases that cannot be imported. */
  readonly members: readonly Member[];
  /** Declarations of types that these use, and that cannot be imported. */
  readonly hidden: readonly HiddenType[];
}

export interface Member {
  /** Of what is in an object of a member: `exports.added`. */
  readonly name: string;
  readonly signature: string;
  readonly comment: DocComment;
}

/**
 * @param file a declaration file, such as `dist/index.d.ts`
 * @param names what can be imported from anywhere; by default, from this file
 * @returns what can be imported from it, in its order
 */
export function exportsOf(file: string, names: PublicNames = publicNames([file])): readonly Declaration[] {
  const module = readModule(file);
  return [...module.exported.keys()]
    .filter((name) => name !== 'default')
    .map((name) => describe(name, exportOf(module, name), names));
}

/** @param files declaration files; the first that exports a thing names it */
export function publicNames(files: readonly string[]): PublicNames {
  const names = new Map<string, string>();
  for (const module of files.map(readModule)) {
    for (const name of module.exported.keys()) {
      const key = keyOf(exportOf(module, name));
      if (name !== 'default' && !names.has(key)) names.set(key, name);
    }
  }
  return names;
}

function describe(name: string, origin: Origin, names: PublicNames): Declaration {
  const { module, declared } = origin;
  const printer = new TypePrinter(module, names);
  const nodes = declared.map(({ node }) => node);
  const [first] = nodes;
  if (first === undefined) throw new Error(`Wanted a declaration of ${name} in ${module.file}`);
  const members = membersOf(first, module, printer, names);
  return {
    name,
    key: keyOf(origin),
    kind: kindOf(first),
    signatures: nodes.map((node) => signatureOf(node, name, module, printer, names)),
    comment: commentOf(origin),
    members,
    // Last: what is printed above tells which they are.
    hidden: printer.hidden(),
  };
}

/** Of overloads, the first one that has a comment speaks for all. */
function commentOf({ module, declared }: Origin): DocComment {
  const comments = declared.map(({ start }) => module.commentBefore(start));
  return (
    comments.find((comment) => comment !== NO_COMMENT && tagsOf(comment, 'internal').length === 0) ??
    NO_COMMENT
  );
}

function kindOf(node: ESTree.Declaration): Declaration['kind'] {
  switch (node.type) {
    case 'TSInterfaceDeclaration':
      return 'interface';
    case 'ClassDeclaration':
      return 'class';
    case 'TSTypeAliasDeclaration':
      return 'type';
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
      return 'function';
    case 'VariableDeclaration':
      return 'value';
    default:
      throw new Error(`Cannot tell what ${node.type} declares`);
  }
}

/** Under the name that can be imported. */
function signatureOf(
  node: ESTree.Declaration,
  name: string,
  module: Module,
  printer: TypePrinter,
  names: PublicNames,
): string {
  const id = 'id' in node && node.id?.type === 'Identifier' ? node.id : null;
  const renamed = id === null ? [] : [{ start: id.start, end: id.end, text: name }];
  const text = (): string => {
    switch (node.type) {
      case 'TSInterfaceDeclaration': {
        const end = (node.typeParameters ?? node.id).end;
        const head = printer.print(node, { start: node.start, end }, renamed);
        const bases = node.extends.filter((base) => inlinedBase(base, module, names) === null);
        const list = bases.map((base) => printer.print(base)).join(', ');
        return list === '' ? head : `${head} extends ${list}`;
      }
      case 'ClassDeclaration':
        return printer.print(node, { start: node.start, end: node.body.start }, renamed);
      case 'TSTypeAliasDeclaration':
        // The parts of a union have comments of their own.
        return printer.print(node, node, renamed);
      default:
        return withoutComments(printer.print(node, node, renamed));
    }
  };
  return text()
    .replace(/^declare /, '')
    .trim();
}

/** The interface that a base is, where nobody can look it up by its name. */
function inlinedBase(base: ESTree.TSInterfaceHeritage, module: Module, names: PublicNames): Origin | null {
  if (base.expression.type !== 'Identifier' || base.typeArguments !== null) return null;
  const origin = originOf(module, base.expression.name);
  if (origin === null || names.has(keyOf(origin))) return null;
  return origin.declared[0]?.node.type === 'TSInterfaceDeclaration' ? origin : null;
}

function membersOf(
  node: ESTree.Declaration,
  module: Module,
  printer: TypePrinter,
  names: PublicNames,
): readonly Member[] {
  if (node.type === 'ClassDeclaration') return describeMembers(node.body.body, module, printer);
  if (node.type !== 'TSInterfaceDeclaration') return [];
  const inherited = node.extends.flatMap((base) => {
    const origin = inlinedBase(base, module, names);
    if (origin?.declared[0] === undefined) return [];
    return membersOf(origin.declared[0].node, origin.module, printer.of(origin.module), names);
  });
  return [...describeMembers(node.body.body, module, printer), ...inherited];
}

type AnyMember = ESTree.ClassElement | ESTree.TSSignature;

function describeMembers(
  members: readonly AnyMember[],
  module: Module,
  printer: TypePrinter,
  owner = '',
): readonly Member[] {
  return members.flatMap((member) => {
    const comment = module.commentBefore(member.start);
    const key = 'key' in member ? module.text.slice(member.key.start, member.key.end) : '';
    if (key.startsWith('#') || tagsOf(comment, 'internal').length > 0) return [];
    const name = owner + key;
    const objects = member.type === 'TSPropertySignature' ? objectsOf(member) : [];
    const folded = objects.map(({ start, end }) => ({ start, end, text: '{ … }' }));
    const signature = withoutComments(printer.print(member, member, folded));
    return [
      { name, signature: signature.replace(/^(?:readonly )?/, (found) => found + owner), comment },
      ...objects.flatMap((object) => describeMembers(object.members, module, printer, `${name}.`)),
    ];
  });
}

/** Objects that are written in the type of a property: they have members, too. */
function objectsOf({ typeAnnotation }: ESTree.TSPropertySignature): readonly ESTree.TSTypeLiteral[] {
  const type = typeAnnotation?.typeAnnotation;
  const types = type?.type === 'TSIntersectionType' ? type.types : [type];
  return types.filter((part): part is ESTree.TSTypeLiteral => part?.type === 'TSTypeLiteral');
}

function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '');
}
