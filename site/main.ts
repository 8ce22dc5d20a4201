/** The program behind `npm run docs`. */
import path from 'node:path';
import { buildSite } from './build.ts';
import { ROOT } from './contents.ts';

const folder = path.join(ROOT, 'dist-docs');
const written = buildSite(folder);
console.log(
  `${written.length} files in ${path.relative(process.cwd(), folder)}; open ${path.join(folder, 'index.html')}`,
);
