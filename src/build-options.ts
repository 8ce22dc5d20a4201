/** What `open()` takes for builds. */
import { asRecord, flag, invalid, onlyKeys, show, stringRecord, strings, text } from './option-checks.ts';

const TOOLS = ['node-gyp', 'cmake-js', 'ninja', 'make'] as const;

/** Builders that are known by name: the two for addons, and what is in a build folder that somebody has configured. */
export type BuildTool = (typeof TOOLS)[number];

export type Configuration = 'Debug' | 'Release';

/** A builder that is known by name, in full. */
export interface ToolBuild {
  /** `'auto'` looks at the project: see {@link OpenOptions.build}. */
  readonly tool: 'auto' | BuildTool;
  /** Which of the two builds. @defaultValue `'Debug'` where the addon is in a folder of that name, else `'Release'` */
  readonly configuration?: Configuration;
  /**
   * Build in less time while you edit, with precompiled headers, and mold, lld and ccache where they are installed. What it
   * made is compiled again by a build without it. @defaultValue false
   */
  readonly fast?: boolean;
  /**
   * The folder with the binding.gyp or CMakeLists.txt, or, of ninja and make, the one that they run in.
   *
   * @defaultValue the nearest one above the addon
   */
  readonly cwd?: string;
}

/** Any command that writes the addon. It runs without a shell. */
export interface CommandBuild {
  /** The program: a name on the PATH, or a path. */
  readonly command: string;
  /**
   * Its arguments.
   *
   * @defaultValue none
   */
  readonly args?: readonly string[];
  /**
   * The folder that it runs in.
   *
   * @defaultValue the project folder: the nearest one above the addon with a package.json, binding.gyp or CMakeLists.txt
   */
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface ResolvedTool {
  readonly kind: 'tool';
  readonly tool: 'auto' | BuildTool;
  /** Null for what the path of the addon says. */
  readonly configuration: Configuration | null;
  readonly fast: boolean;
  readonly cwd: string | null;
}

export interface ResolvedCommand {
  readonly kind: 'command';
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
}

export type ResolvedBuild = { readonly kind: 'none' } | ResolvedTool | ResolvedCommand;

const WANTED = "false, 'auto', 'node-gyp', 'cmake-js', 'ninja', 'make', { tool } or { command }";

export function resolveBuild(value: unknown): ResolvedBuild {
  if (value === undefined || value === false) return { kind: 'none' };
  if (isTool(value)) return { kind: 'tool', tool: value, configuration: null, fast: false, cwd: null };
  if (typeof value !== 'object' || value === null) return invalid('build', show(value), WANTED);
  const build = asRecord(value, 'build');
  return 'tool' in build ? resolveTool(build) : resolveCommand(build);
}

function isTool(value: unknown): value is ResolvedTool['tool'] {
  return value === 'auto' || (TOOLS as readonly unknown[]).includes(value);
}

function resolveTool(build: Record<string, unknown>): ResolvedTool {
  onlyKeys('build', build, ['tool', 'configuration', 'fast', 'cwd']);
  const { tool, configuration = null } = build;
  if (!isTool(tool)) return invalid('build.tool', show(tool), `one of auto, ${TOOLS.join(', ')}`);
  if (configuration !== null && configuration !== 'Debug' && configuration !== 'Release')
    return invalid('build.configuration', show(configuration), "'Debug' or 'Release'");
  const fast = flag('build.fast', build['fast']);
  return { kind: 'tool', tool, configuration, fast, cwd: text('build.cwd', build['cwd']) ?? null };
}

function resolveCommand(build: Record<string, unknown>): ResolvedCommand {
  onlyKeys('build', build, ['command', 'args', 'cwd', 'env']);
  const command = text('build.command', build['command']);
  if (!command) invalid('build.command', show(build['command']), 'the name or path of a program');
  return {
    kind: 'command',
    command,
    args: strings('build.args', build['args']),
    cwd: text('build.cwd', build['cwd']) ?? null,
    env: stringRecord('build.env', build['env']),
  };
}
