/** Which builder it is, for people. */
import path from 'node:path';
import type { SourcePath } from '../../brands.ts';
import { detect } from '../../build/auto.ts';
import type { ResolvedBuild } from '../../build-options.ts';
import type { Outside } from '../../outside.ts';

/**
 * Says what 'auto' stands for.
 *
 * @throws `ERR_INVALID_OPTION` when nothing tells, or several things do
 */
export async function resolveAuto(
  build: ResolvedBuild,
  addon: SourcePath,
  outside: Outside,
): Promise<ResolvedBuild> {
  if (build.kind !== 'tool' || build.tool !== 'auto') return build;
  const isDebug = build.configuration === 'Debug' || addon.split(path.sep).includes('Debug');
  const found = await detect(addon, build.cwd, isDebug, outside);
  return 'kind' in found ? found : { ...build, ...found };
}

export function titleOf(build: ResolvedBuild): string {
  if (build.kind === 'none') return 'somebody else';
  return build.kind === 'command' ? path.basename(build.command) : build.tool;
}
