/** Where builders and headers are that come as packages, or with Node.js. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Outside } from '../outside.ts';
import { isFile } from './files.ts';

/** The headers that came with this Node.js, so that no build has to download any. */
export async function findNodeDir(outside: Outside): Promise<string | null> {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  return (await isFile(outside, path.join(prefix, 'include/node/node_api.h'))) ? prefix : null;
}

/** The script of a package: the project's own where it has one, else ours. Started directly, it spares what npx takes. */
export function scriptOf(root: string, script: string): string {
  try {
    return createRequire(path.join(root, 'package.json')).resolve(script);
  } catch {
    return createRequire(import.meta.url).resolve(script);
  }
}
