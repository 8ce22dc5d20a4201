/**
 * The JSON schema of a configuration, for editors; `npm run documents` writes it to `schema.json`. It does not compile
 * when an option is missing here, and a test has it judge as the checks do. What JSON cannot hold, such as steps of
 * `migrate`, it does not know.
 */
import type { CommandBuild, ToolBuild } from '../build-options.ts';
import type { HostOptions } from '../host-options.ts';
import { TIMER_MAX_MS } from '../option-checks.ts';
import type { WatchOptions } from '../options.ts';
import type { AddonConfig, Config, DevConfig } from './config.ts';

/** As much of JSON Schema (draft 7) as is needed here. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'boolean' | 'number' | 'integer';
  readonly enum?: readonly (string | boolean)[];
  readonly anyOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A schema for each option of T. */
type Properties<T> = Readonly<Record<keyof T & string, JsonSchema>>;

const TEXT: JsonSchema = { type: 'string', pattern: '^[^\\u0000]+$' };
const GLOB: JsonSchema = { type: 'string', pattern: '^[^!\\u0000][^\\u0000]*$', maxLength: 65_536 };
const TEXTS: JsonSchema = { type: 'array', items: { type: 'string' } };
const TEXT_RECORD: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };
const FLAG: JsonSchema = { type: 'boolean' };
const MILLISECONDS: JsonSchema = { type: 'number', minimum: 0, maximum: TIMER_MAX_MS };

const wholeNumber = (minimum: number): JsonSchema => ({
  type: 'integer',
  minimum,
  maximum: Number.MAX_SAFE_INTEGER,
});
const record = (properties: Readonly<Record<string, JsonSchema>>, more: JsonSchema = {}): JsonSchema => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});
const said = (description: string, schema: JsonSchema): JsonSchema => ({ description, ...schema });

const TOOLS = [
  'auto',
  'node-gyp',
  'cmake-js',
  'ninja',
  'make',
] as const satisfies readonly ToolBuild['tool'][];

const BUILD: JsonSchema = {
  description: 'Who builds: a tool by name, a command, or false for somebody else.',
  anyOf: [
    { enum: [false, ...TOOLS] },
    record(
      {
        tool: { enum: TOOLS },
        configuration: { enum: ['Debug', 'Release'] },
        fast: said('Build in less time while you edit.', FLAG),
        cwd: TEXT,
      } satisfies Properties<ToolBuild>,
      { required: ['tool'] },
    ),
    record({ command: TEXT, args: TEXTS, cwd: TEXT, env: TEXT_RECORD } satisfies Properties<CommandBuild>, {
      required: ['command'],
    }),
  ],
};

const WATCH: JsonSchema = {
  description: 'Whether, and how, sources are watched.',
  anyOf: [
    FLAG,
    record({
      paths: said('Files and folders to watch instead of what the build is known to read.', TEXTS),
      ignore: said('Paths to leave out.', TEXTS),
      debounceMs: said('Silence after the last change before a build starts (30).', MILLISECONDS),
      persistent: said('Whether the watch alone keeps the process running (true).', FLAG),
    } satisfies Properties<WatchOptions>),
  ],
};

const HOST: JsonSchema = said(
  'Of the processes that try new versions.',
  record({
    env: TEXT_RECORD,
    execArgv: TEXTS,
    maxRssBytes: wholeNumber(1),
    resourceLimits: { type: 'object' },
    spare: FLAG,
    reuse: FLAG,
  } satisfies Properties<HostOptions>),
);

/** Steps of `migrate` are functions. */
type JsonAddonConfig = Omit<AddonConfig, 'migrate'>;

const ADDON = {
  verify: said("What a new version's own save() must show before it goes live (true).", {
    enum: [true, 'deep'],
  }),
  history: said('How many versions that were live before can be gone back to (5).', wholeNumber(0)),
  reclaim: said("Unload replaced versions as soon as nothing needs them ('auto'), or never.", {
    enum: ['auto', 'never'],
  }),
  rehearse: said('Load each new version in a throw-away process first (false).', FLAG),
  host: HOST,
  scope: said('Who shares the memory of a version: nobody, or all handles of the process.', {
    enum: ['thread', 'process'],
  }),
  drainTimeoutMs: said('How long a reload waits for work of the replaced version (1000).', MILLISECONDS),
  hookTimeoutMs: said('Bound on an asynchronous hook (10000).', MILLISECONDS),
  buildTimeoutMs: said('Bound on one build (300000).', MILLISECONDS),
  integrity: said('What may be loaded at all: a Subresource Integrity string.', {
    type: 'string',
    pattern: '^sha(256|384|512)-[A-Za-z0-9+/]+={0,2}$',
  }),
  stageDir: said('Where copies are put.', TEXT),
} satisfies Properties<JsonAddonConfig>;

const DEV: JsonSchema = said(
  'For the command `napi-reload dev`.',
  record(
    {
      script: said('The program: a file that Node.js runs. Not with `exec`.', TEXT),
      exec: said('A command line for a shell that starts the program.', TEXT),
      args: said('Arguments of the program.', TEXTS),
      nodeArgs: said('Options of Node.js for it.', TEXTS),
      env: said('Added to the environment.', TEXT_RECORD),
      clearScreen: said('Clear the screen when something is built (true).', FLAG),
      fallback: said("What to do with a version that cannot be swapped in place ('none').", {
        enum: ['restart', 'none'],
      }),
      json: said('Print events as lines of JSON (false).', FLAG),
      delayMs: said('Silence after the last change before a build starts.', MILLISECONDS),
      pollMs: said('Look at the files as often as that.', { ...MILLISECONDS, minimum: 10 }),
    } satisfies Properties<DevConfig>,
    { not: { required: ['script', 'exec'] } },
  ),
);

/** The schema of {@link Config}. */
export const configSchema: JsonSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Configuration of napi-reload',
  ...record({
    $schema: TEXT,
    include: said('Globs of the .node files that can be reloaded; by default all.', {
      type: 'array',
      items: GLOB,
    }),
    exclude: said('Globs of those that cannot; by default those in node_modules.', {
      type: 'array',
      items: GLOB,
    }),
    build: BUILD,
    watch: WATCH,
    options: said('For all addons.', record(ADDON)),
    addons: said('For some, by path or glob; the more exact wins.', {
      type: 'object',
      propertyNames: GLOB,
      additionalProperties: record({ ...ADDON, build: BUILD, watch: WATCH }),
    }),
    dev: DEV,
  } satisfies Properties<Config>),
};
