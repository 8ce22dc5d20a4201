/** Which version of the package this is. */
import { readFileSync } from 'node:fs';

/** @returns such as `0.1.0` */
export function packageVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
