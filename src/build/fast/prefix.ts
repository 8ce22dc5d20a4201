/**
 * What a source begins with: the includes that come before anything else, so that to compile them ahead changes nothing.
 *
 * A definition before an include may change what that means, so the first line that is no include ends it.
 */
import path from 'node:path';
import type { Outside } from '../../outside.ts';
import type { PlannedLine } from '../plan.ts';
import { isFile, isOwn, readText } from '../files.ts';

/** Headers of the project that one prefix leads through. */
const DEPTH_MAX = 8;

const SKIPPED = /^(?:\s+|\/\/[^\n]*(?<!\\)(?:\n|$)|\/\*[\s\S]*?\*\/)/;
const DIRECTIVE = /^#[ \t]*(\w+)[ \t]*([^\n]*)(?:\n|$)/;
const INCLUDE = /^(<[^>\n]+>|"[^"\n]+")\s*(?:\/\/.*|\/\*[^*]*\*\/\s*)?$/;

/** @returns such as `<napi.h>`, `"napi.h"`: of headers that are not the project's own, in their order */
export async function prefixOf(
  outside: Outside,
  line: PlannedLine,
  root: string,
): Promise<readonly string[]> {
  const folders = includeFolders(line);
  if (folders === null) return [];
  const source = path.resolve(line.cwd, line.file);
  return collect({ outside, root, folders }, source, 0);
}

/** @returns in their order; null where an option makes includes mean something else */
function includeFolders({ args, cwd }: PlannedLine): readonly string[] | null {
  const folders: string[] = [];
  for (const [at, arg] of args.entries()) {
    if (/^-(?:include|imacros|iquote|iprefix|I-|fmodules|save-temps|fdirectives-only|x$)/.test(arg))
      return null;
    const folder = arg === '-I' || arg === '-isystem' ? args[at + 1] : /^-(?:I|isystem)(.+)$/.exec(arg)?.[1];
    if (folder !== undefined) folders.push(path.resolve(cwd, folder));
  }
  return folders;
}

interface Search {
  readonly outside: Outside;
  readonly root: string;
  readonly folders: readonly string[];
}

async function collect(search: Search, file: string, depth: number): Promise<readonly string[]> {
  const includes: string[] = [];
  if (depth > DEPTH_MAX) return includes;
  for (const name of leadingIncludes((await readText(search.outside, file)) ?? '', depth > 0)) {
    const found = await resolve(search, file, name);
    if (found === 'unsure') break;
    if (found === null || !isOwn(search.root, found)) {
      includes.push(name);
      continue;
    }
    // What follows comes after the rest of that header, too.
    includes.push(...(await collect(search, found, depth + 1)));
    break;
  }
  return includes;
}

/** @returns absolute path; null for a header of the system; `unsure` for one that only this file finds by this name */
async function resolve(search: Search, from: string, name: string): Promise<string | 'unsure' | null> {
  const inner = name.slice(1, -1);
  if (name.startsWith('"')) {
    const beside = path.resolve(path.dirname(from), inner);
    if (await isFile(search.outside, beside)) return isOwn(search.root, beside) ? beside : 'unsure';
  }
  for (const folder of search.folders) {
    const file = path.join(folder, inner);
    if (await isFile(search.outside, file)) return file;
  }
  return path.isAbsolute(inner) ? 'unsure' : null;
}

/** @param isHeader whether a guard may come first */
export function leadingIncludes(text: string, isHeader: boolean): readonly string[] {
  const found: string[] = [];
  let rest = text.replace(/\r\n/g, '\n');
  let guard: string | null = null;
  let mayBeGuarded = isHeader;
  for (;;) {
    const skipped = SKIPPED.exec(rest);
    if (skipped) {
      rest = rest.slice(skipped[0].length);
      continue;
    }
    const directive = DIRECTIVE.exec(rest);
    if (directive === null) return found;
    const [whole, verb, operand = ''] = directive;
    const include = verb === 'include' ? INCLUDE.exec(operand)?.[1] : undefined;
    if (guard !== null && !(verb === 'define' && operand.trim() === guard)) return found;
    const opensGuard = verb === 'ifndef' && mayBeGuarded && found.length === 0 && /^\w+\s*$/.test(operand);
    if (include !== undefined) found.push(include);
    else if (opensGuard) {
      guard = operand.trim();
      mayBeGuarded = false;
    } else if (guard !== null) guard = null;
    else if (!(verb === 'pragma' && operand.trim() === 'once')) return found;
    rest = rest.slice(whole.length);
  }
}
