/** Chooses the builder that the options ask for. */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import type { Configuration, ResolvedBuild, ResolvedTool } from '../build-options.ts';
import { errors } from '../errors.ts';
import type { Outside } from '../outside.ts';
import { detect } from './auto.ts';
import type { Builder } from './builder.ts';
import { cmakeJsTool } from './cmake-js.ts';
import { createCommandBuilder } from './command.ts';
import { directTool } from './direct.ts';
import { FastLane } from './fast/lane.ts';
import { nodeGypTool } from './node-gyp.ts';
import type { Tool } from './tool.ts';
import { ToolBuilder } from './tool-builder.ts';
import { inTurns } from './turns.ts';
import { skipUnchanged } from './unchanged.ts';

/**
 * @param source absolute path of the addon that the build writes
 * @returns null when somebody else builds
 * @throws `ERR_INVALID_OPTION` when the project's folder cannot be found, or does not tell how it is built
 */
export async function createBuilder(
  build: ResolvedBuild,
  source: SourcePath,
  outside: Outside,
): Promise<Builder | null> {
  if (build.kind === 'none') return null;
  const builder = await (build.kind === 'command'
    ? createCommandBuilder(build, source, outside)
    : createToolBuilder(build, source, outside));
  return inTurns(skipUnchanged(builder, source, outside), source, outside);
}

async function createToolBuilder(
  build: ResolvedTool,
  source: SourcePath,
  outside: Outside,
): Promise<Builder> {
  const configuration = configurationOf(build, source);
  const given = build.cwd === null ? null : path.resolve(build.cwd);
  const found =
    build.tool === 'auto'
      ? await detect(source, given, configuration === 'Debug', outside)
      : { tool: build.tool, cwd: given };
  if ('kind' in found) return createCommandBuilder(found, source, outside);
  const tool = await makeTool(found.tool, { source, cwd: found.cwd, configuration }, outside);
  return new ToolBuilder(tool, build.fast ? new FastLane(tool, outside) : null, outside);
}

interface Setup {
  readonly source: SourcePath;
  readonly cwd: string | null;
  readonly configuration: Configuration;
}

function makeTool(
  kind: Exclude<ResolvedTool['tool'], 'auto'>,
  setup: Setup,
  outside: Outside,
): Promise<Tool> {
  switch (kind) {
    case 'node-gyp':
      return nodeGypTool(setup, outside);
    case 'cmake-js':
      return cmakeJsTool(setup, outside);
    case 'ninja':
    case 'make':
      return directTool({ kind, ...setup }, outside);
  }
}

/** The folder that the addon is in decides, as both node-gyp and cmake-js write to one of that name. */
function configurationOf(build: ResolvedTool, source: SourcePath): Configuration {
  const folders = path.dirname(source).split(path.sep).slice(-2);
  const told = folders.findLast((name): name is Configuration => name === 'Debug' || name === 'Release');
  if (told !== undefined && build.configuration !== null && build.configuration !== told) {
    throw errors.invalidOption({
      option: 'build.configuration',
      found: `${JSON.stringify(build.configuration)} for an addon in ${JSON.stringify(path.dirname(source))}`,
      wanted: `${JSON.stringify(told)}, or an addon in the folder of that configuration`,
    });
  }
  return build.configuration ?? told ?? 'Release';
}
