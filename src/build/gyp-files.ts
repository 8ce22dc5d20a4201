/** What gyp files name as sources, and when the Makefile that gyp made of them is out of date. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { splitMakeWords } from './depfiles.ts';
import { hasChangedSince, isInside, modifiedMs, readText } from './files.ts';
import { run } from './run.ts';

/** Bound on reading the gyp files, in milliseconds. */
const READ_TIMEOUT_MS = 10_000;

/**
 * gyp files are Python literals with comments and lines that join strings, so Python reads them, as gyp itself does.
 * One JSON array a line: the gyp file, and one entry of a list of sources in it. Nothing in it is run or expanded.
 */
const LIST_SOURCES = `
import ast, json, sys

def sources(node):
    if isinstance(node, list):
        for item in node:
            yield from sources(item)
    if isinstance(node, dict):
        for key, value in node.items():
            if key.rstrip('+=?%') == 'sources' and isinstance(value, list):
                yield from (item for item in value if isinstance(item, str))
            else:
                yield from sources(value)

for file in sys.argv[1:]:
    try:
        with open(file, encoding='utf-8') as text:
            tree = ast.literal_eval(text.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        continue
    for source in sources(tree):
        print(json.dumps([file, source]))
`;

/** @returns absolute paths of `binding.gyp` and each `*.gypi` in the folder */
export async function findGypFiles(outside: Outside, root: string): Promise<readonly string[]> {
  const entries = await outside.readdir(root).catch(() => []);
  return entries
    .filter((entry) => entry.name === 'binding.gyp' || entry.name.endsWith('.gypi'))
    .map((entry) => path.join(root, entry.name));
}

export interface GypSources {
  readonly files: readonly string[];
  /** Whether some names are only known to gyp: variables and commands to expand, or files that cannot be read. */
  readonly partly: boolean;
}

/** Sources in all targets and all branches of their conditions. */
export async function readGypSources(outside: Outside, gypFiles: readonly string[]): Promise<GypSources> {
  const files: string[] = [];
  let partly = false;
  const { end } = await run(outside, {
    command: process.env['npm_config_python'] ?? process.env['PYTHON'] ?? 'python3',
    // -I: nothing in the project's folder or the environment can replace a module of Python's own.
    args: ['-I', '-c', LIST_SOURCES, ...gypFiles],
    cwd: path.dirname(gypFiles[0] ?? '/'),
    env: {},
    signal: new AbortController().signal,
    timeoutMs: READ_TIMEOUT_MS,
    onLine: (line) => {
      const pair = parsePair(line);
      if (pair === null || /[<>^][(!@|]/.test(pair[1])) partly = true;
      else files.push(path.resolve(path.dirname(pair[0]), pair[1]));
    },
  });
  const whole = end.kind === 'exit' && end.exitCode === 0 && files.length > 0;
  return { files, partly: partly || !whole };
}

function parsePair(line: string): readonly [string, string] | null {
  try {
    const pair: unknown = JSON.parse(line);
    if (!Array.isArray(pair)) return null;
    const [file, source]: unknown[] = pair;
    return typeof file === 'string' && typeof source === 'string' ? [file, source] : null;
  } catch {
    return null;
  }
}

export interface Configuration {
  readonly root: string;
  /** What is given to node-gyp as `--nodedir`; null leaves it to node-gyp. */
  readonly nodeDir: string | null;
}

/**
 * Whether `build/Makefile` is there, whole, newer than every file that gyp read for it, and made for this Node.js.
 *
 * A gyp that fails leaves half a Makefile that builds nothing and reports success, so "newer" alone is not enough.
 */
export async function isConfigured(outside: Outside, { root, nodeDir }: Configuration): Promise<boolean> {
  const build = path.join(root, 'build');
  const madeMs = await modifiedMs(outside, path.join(build, 'Makefile'));
  const inputs = await findConfigureInputs(outside, root);
  if (madeMs === null || inputs === null) return false;
  for (const input of inputs) {
    const changedMs = await modifiedMs(outside, input);
    if (changedMs === null || changedMs > madeMs) return false;
  }
  return isForThisNode((await readText(outside, path.join(build, 'config.gypi'))) ?? '', nodeDir);
}

/** @returns absolute paths of what gyp read to make the Makefile; null when there is none, or half of one */
async function findConfigureInputs(outside: Outside, root: string): Promise<ReadonlySet<string> | null> {
  const build = path.join(root, 'build');
  const read = readRegenerationRule((await readText(outside, path.join(build, 'Makefile'))) ?? '');
  if (read === null) return null;
  return new Set([...read.map((name) => path.resolve(build, name)), ...(await findGypFiles(outside, root))]);
}

/**
 * Deletes `build/Makefile` when a gyp file has changed since then: gyp may have read the old text and written the
 * Makefile after the edit, which then looks older.
 *
 * @param sinceMs wall clock, in milliseconds
 */
export async function removeStaleMakefile(outside: Outside, root: string, sinceMs: number): Promise<void> {
  const build = path.join(root, 'build');
  for (const input of (await findConfigureInputs(outside, root)) ?? []) {
    // What configure writes itself, such as config.gypi, is as new as the Makefile each time.
    if (isInside(build, input) || !(await hasChangedSince(outside, input, sinceMs))) continue;
    await outside.remove(path.join(build, 'Makefile')).catch(() => {});
    return;
  }
}

/** @returns what the Makefile's own rule to make itself again depends on; null when the rule is missing */
export function readRegenerationRule(makefile: string): readonly string[] | null {
  const rule = /^Makefile: (.*)$/m.exec(makefile)?.[1];
  if (rule === undefined) return null;
  const srcdir = /^srcdir := (.*)$/m.exec(makefile)?.[1] ?? '..';
  return splitMakeWords(rule.replaceAll('$(srcdir)', srcdir));
}

function isForThisNode(config: string, nodeDir: string | null): boolean {
  try {
    const parsed: unknown = JSON.parse(config.replace(/^#.*$/gm, ''));
    const variables = (parsed as { variables?: Record<string, unknown> }).variables ?? {};
    if (nodeDir !== null && variables['nodedir'] !== nodeDir) return false;
    return String(variables['node_module_version']) === process.versions.modules;
  } catch {
    return false;
  }
}
