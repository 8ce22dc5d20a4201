/** Chooses the builder that the options ask for. */
import type { SourcePath } from '../brands.ts';
import type { ResolvedBuild } from '../build-options.ts';
import type { Outside } from '../outside.ts';
import type { Builder } from './builder.ts';
import { createCommandBuilder } from './command.ts';
import { createNodeGypBuilder } from './node-gyp.ts';
import { inTurns } from './turns.ts';

/**
 * @param source absolute path of the addon that the build writes
 * @returns null when somebody else builds
 * @throws `ERR_INVALID_OPTION` when the project's folder cannot be found
 */
export async function createBuilder(
  build: ResolvedBuild,
  source: SourcePath,
  outside: Outside,
): Promise<Builder | null> {
  switch (build.kind) {
    case 'none':
      return null;
    case 'tool':
      return inTurns(await createNodeGypBuilder(source, outside), source, outside);
    case 'command':
      return inTurns(await createCommandBuilder(build, source, outside), source, outside);
  }
}
