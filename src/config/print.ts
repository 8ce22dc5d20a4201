/** What `--print-config` prints. */
import path from 'node:path';
import type { DevConfig } from './config.ts';
import { isIncluded, layersFor } from './options-for.ts';
import type { ResolvedConfig } from './resolve.ts';

export interface PrintOptions {
  /** Paths of `.node` files, to print what each of them is opened with. @defaultValue none */
  readonly addons?: readonly string[];
  /** What the command line says of `dev` instead. @defaultValue nothing */
  readonly commandLine?: DevConfig;
}

/**
 * A configuration as JSON, with the origin of each of its parts under `from`: `default`, the file, `command line`, and for
 * an addon the part of the configuration. Functions and regular expressions are shown as texts.
 */
export function printConfig(config: ResolvedConfig, { addons = [], commandLine }: PrintOptions = {}): string {
  const { file, folder, given, build, watch, options, dev } = config;
  const origin = file ?? 'default';
  const from = Object.fromEntries(KEYS.map((key) => [key, given[key] === undefined ? 'default' : origin]));
  const overrides = Object.fromEntries(definedOf(commandLine));
  for (const key of Object.keys(dev)) {
    const own = given.dev?.[key as keyof DevConfig] === undefined ? 'default' : origin;
    from[`dev.${key}`] = key in overrides ? 'command line' : own;
  }
  const shown = {
    file,
    folder,
    include: config.include?.map(({ pattern }) => pattern) ?? null,
    exclude: config.exclude.map(({ pattern }) => pattern),
    build: build ?? null,
    watch: watch ?? null,
    options,
    addons: Object.fromEntries(config.addons.map(({ key, options: own }) => [key, own])),
    dev: { ...dev, ...overrides },
    from,
    ...(addons.length === 0
      ? {}
      : {
          opened: Object.fromEntries(addons.map((addon) => [path.resolve(addon), openedWith(config, addon)])),
        }),
  };
  return JSON.stringify(shown, showFunctions, 2);
}

const KEYS = ['include', 'exclude', 'build', 'watch', 'options', 'addons'] as const;

function openedWith(config: ResolvedConfig, addon: string): object {
  const options: Record<string, unknown> = {};
  const from: Record<string, string> = {};
  for (const layer of layersFor(config, addon)) {
    for (const [key, value] of Object.entries(layer.options)) {
      options[key] = value;
      from[key] = layer.name === '' ? key : `${layer.name}.${key}`;
    }
  }
  return { included: isIncluded(config, addon), options, from };
}

function definedOf(values: object = {}): readonly (readonly [string, unknown])[] {
  return Object.entries(values).filter(([, value]) => value !== undefined);
}

function showFunctions(_key: string, value: unknown): unknown {
  if (typeof value === 'function') return value.name === '' ? '[function]' : `[function ${value.name}]`;
  return value instanceof RegExp ? String(value) : value;
}
