/** Figures and names, for people. */
import path from 'node:path';

/** @returns such as `0.42 ms`, `12 ms`, `1.35 s` */
export function formatMs(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(ms < 0.995 ? 2 : 1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

/** @returns such as `812 B`, `34 KB`, `1.2 MB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 999_500 ? `${Math.round(bytes / 1_000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** @returns such as `1 error`, `2 errors` */
export function count(many: number, one: string, several = `${one}s`): string {
  return `${many} ${many === 1 ? one : several}`;
}

/** What people call an addon: the name of its file, without the end. */
export function addonName(addon: string): string {
  return path.basename(addon, '.node');
}

/** The path from a folder where the file is in it, else the whole. */
export function pathFrom(folder: string, file: string): string {
  const relative = path.relative(folder, file);
  return relative === '' || relative.startsWith(`..${path.sep}`) || relative === '..' ? file : relative;
}
