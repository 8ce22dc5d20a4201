/**
 * Reads what a file of a configuration holds, at once: `node --require napi-reload/register` cannot wait.
 *
 * Modules are loaded by Node.js itself the first time. As it keeps an ES module for good, later times are jiti's, which
 * also strips types where Node.js does not; it compiles what it loads, and costs 0.3 s at its first use.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { types } from 'node:util';
import { describe, errors, isReloadError } from '../errors.ts';
import { defineConfig } from './config.ts';

const require = createRequire(import.meta.url);

/** Files that Node.js has loaded in this thread. */
const loaded = new Set<string>();

/** @throws `ERR_CONFIG_INVALID` when it cannot be read, or is no JSON */
export function readJson(file: string): unknown {
  const text = readText(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = inOneLine(describe(cause));
    throw errors.configInvalid({ file, option: null, found, wanted: 'a file of JSON' }, cause);
  }
}

/**
 * Without the mark of byte order that some editors put in front.
 *
 * @throws `ERR_CONFIG_INVALID` when it cannot be read
 */
export function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw errors.configInvalid(
      { file, option: null, found: describe(cause), wanted: 'a file that can be read' },
      cause,
    );
  }
}

/**
 * @param file absolute path of a module that Node.js or jiti can load
 * @returns its default export, or the exports of a CommonJS module
 * @throws `ERR_CONFIG_INVALID` when it cannot be loaded, or has no default export
 */
export function readModule(file: string): unknown {
  let exported: unknown;
  try {
    exported = loadModule(file);
  } catch (cause) {
    if (isReloadError(cause)) throw cause;
    throw errors.configInvalid(
      { file, option: null, found: whyNotLoaded(cause), wanted: 'a module that exports a configuration' },
      cause,
    );
  }
  const isEsModule =
    types.isModuleNamespaceObject(exported) ||
    (typeof exported === 'object' && exported !== null && '__esModule' in exported);
  if (!isEsModule) return exported;
  if ('default' in (exported as object)) return (exported as { readonly default: unknown }).default;
  throw errors.configInvalid({
    file,
    option: null,
    found: 'no default export',
    wanted: '"export default" with a configuration',
  });
}

function loadModule(file: string): unknown {
  const isTyped = /\.m?ts$/.test(file);
  if (loaded.has(file) || (isTyped && !canStripTypes())) return loadAnew(file);
  loaded.add(file);
  try {
    return withoutTrace(() => createRequire(file)(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // Such as an enum, of which types are not all. And jiti tells the place of what does not compile.
    const isJitis = error instanceof SyntaxError || code.startsWith('ERR_UNSUPPORTED_');
    if (isJitis) return loadAnew(file);
    throw error;
  }
}

/** Node.js is to keep no CommonJS module of the project for the sake of a configuration; jiti has it load some, too. */
function withoutTrace(load: () => unknown): unknown {
  const before = new Set(Object.keys(require.cache));
  try {
    return load();
  } finally {
    for (const name of Object.keys(require.cache)) {
      if (!before.has(name) && !/[\\/]node_modules[\\/]|\.node$/.test(name)) delete require.cache[name];
    }
  }
}

function canStripTypes(): boolean {
  const { typescript } = process.features as { readonly typescript?: string | false };
  return typeof typescript === 'string';
}

/** As it is now, with the modules of the project that it imports; those of `napi-reload` are not compiled again. */
function loadAnew(file: string): unknown {
  const { createJiti } = require('jiti') as typeof import('jiti');
  const jiti = createJiti(file, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { 'napi-reload': { defineConfig } },
  });
  return withoutTrace(() => jiti(file));
}

function whyNotLoaded(cause: unknown): string {
  if ((cause as NodeJS.ErrnoException | null)?.code === 'ERR_REQUIRE_ASYNC_MODULE') {
    return 'an await outside of functions, which a configuration that is needed at once cannot have';
  }
  return inOneLine(describe(cause));
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
