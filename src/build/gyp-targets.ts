/** Which addons a `binding.gyp` builds. */
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { run } from './run.ts';

/** Bound on reading the file, in milliseconds. */
const READ_TIMEOUT_MS = 10_000;

/** One JSON string a line: the name of the file that a target builds, with what the file's own variables stand for. */
const LIST_TARGETS = `
import ast, json, re, sys

with open(sys.argv[1], encoding='utf-8') as text:
    tree = ast.literal_eval(text.read())
variables = {key.rstrip('%'): value for key, value in tree.get('variables', {}).items()}
for target in tree.get('targets', []):
    if target.get('type', 'loadable_module') != 'loadable_module':
        continue
    name = str(target.get('product_name', target.get('target_name', '')))
    name = re.sub(r'<\\((\\w+)\\)', lambda match: str(variables.get(match[1], match[0])), name)
    print(json.dumps(name))
`;

/**
 * @param root absolute folder of the `binding.gyp`
 * @returns absolute paths of the built addons, in the order of their targets; without those whose name only gyp knows
 */
export async function gypAddons(outside: Outside, root: string): Promise<readonly string[]> {
  const names: string[] = [];
  await run(outside, {
    command: process.env['npm_config_python'] ?? process.env['PYTHON'] ?? 'python3',
    args: ['-I', '-c', LIST_TARGETS, path.join(root, 'binding.gyp')],
    cwd: root,
    env: {},
    signal: new AbortController().signal,
    timeoutMs: READ_TIMEOUT_MS,
    onLine: (line) => {
      const name = parseName(line);
      if (name !== null && !/[<>^@|(]/.test(name)) names.push(name);
    },
  });
  return names.map((name) => path.join(root, 'build/Release', `${name}.node`));
}

/** What Python complains about is no name. */
function parseName(line: string): string | null {
  if (!line.startsWith('"')) return null;
  try {
    const name: unknown = JSON.parse(line);
    return typeof name === 'string' && name !== '' ? name : null;
  } catch {
    return null;
  }
}
