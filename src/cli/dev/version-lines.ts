/** All versions in memory, as a table. */
import type { Colors } from 'picocolors/types.js';
import { widthOf } from './cells.ts';
import type { DevEventOf } from './events.ts';
import { addonName, formatBytes } from './format.ts';
import { whyInMemory } from './threads.ts';

const HEAD = ['addon', 'version', 'where', 'size', 'state'] as const;
const HASH_DIGITS = 8;

export function versionLines({ threads }: DevEventOf<'versions'>, colors: Colors): readonly string[] {
  const rows = threads.flatMap(({ pid, threadId, handles }) =>
    handles.flatMap(({ addon, serving, versions }) =>
      versions.map((version) => [
        addonName(addon),
        `v${version.id} ${version.hash.slice(0, HASH_DIGITS)}`,
        threadId === 0 ? `${pid}` : `${pid}/${threadId}`,
        formatBytes(version.bytes),
        version.id === serving ? 'serves' : whyInMemory(version),
      ]),
    ),
  );
  if (rows.length === 0) return ['the app runs no addon'];
  const widths = HEAD.map((title, column) =>
    Math.max(...[title, ...rows.map((row) => row[column] ?? '')].map(widthOf)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd();
  return [colors.dim(line(HEAD)), ...rows.map(line)];
}
