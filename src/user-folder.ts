/** Where this user's files go that outlive a process, or are thrown away with it. */
import os from 'node:os';
import path from 'node:path';

/** `$XDG_CACHE_HOME/napi-reload`, else `~/.cache/napi-reload`, else one for this user under the temporary folder. */
export function defaultStageDir(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env['XDG_CACHE_HOME'];
  if (cache && path.isAbsolute(cache)) return path.join(cache, 'napi-reload');
  const home = env['HOME'];
  if (home && path.isAbsolute(home)) return path.join(home, '.cache', 'napi-reload');
  return path.join(os.tmpdir(), `napi-reload-${process.getuid?.() ?? 'user'}`);
}
