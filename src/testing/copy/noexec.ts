/** File systems from which no code can be loaded, as some machines mount the one for temporary files. */
import { readFileSync } from 'node:fs';
import { isInside } from '../../build/files.ts';

/** @param folder real absolute path */
export function isNoExec(folder: string): boolean {
  try {
    return isMountedNoExec(folder, readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * @internal for tests
 * @param mounts as in proc_pid_mountinfo(5): the fifth field is where it is mounted, the sixth has its options
 */
export function isMountedNoExec(folder: string, mounts: string): boolean {
  let nearest = { point: '', options: '' };
  for (const line of mounts.split('\n')) {
    const [, , , , escaped = '', options = ''] = line.split(' ');
    const point = escaped.replace(/\\([0-7]{3})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 8)),
    );
    // Of two in one place the later one hides the other.
    const isNearer = point !== '' && point.length >= nearest.point.length && isInside(point, folder);
    if (isNearer) nearest = { point, options };
  }
  return nearest.options.split(',').includes('noexec');
}
