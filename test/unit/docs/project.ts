/** A project as a reader of the documents has it: the package is installed, and `napi-reload` is a program. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { compileAddon } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';
import { cxxObject } from '../../support/cxx.ts';
import { blocksOf, readDocument, ROOT } from './markdown.ts';

export interface Project extends Disposable {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  write(name: string, content: string): void;
  /**
   * @returns what it printed
   * @throws with all that it wrote when it fails
   */
  run(command: string, args: readonly string[]): Promise<string>;
}

/** What documents import besides the package. */
const PACKAGES = ['node-addon-api', 'bindings'];

/** @param documents whose files it has */
export function createProject(...documents: readonly string[]): Project {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-docs-'));
  const file = (name: string): string => path.join(folder, name);
  const installed = path.dirname(compiledSource());
  fs.mkdirSync(file('node_modules/.bin'), { recursive: true });
  fs.symlinkSync(installed, file('node_modules/napi-reload'));
  for (const name of PACKAGES) {
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), file(`node_modules/${name}`));
  }
  const program = `#!/bin/sh\nexec node "${installed}/dist/cli/main.js" "$@"\n`;
  fs.writeFileSync(file('node_modules/.bin/napi-reload'), program, { mode: 0o755 });
  fs.writeFileSync(file('package.json'), '{ "private": true }');
  const env = {
    ...process.env,
    PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH'] ?? ''}`,
    XDG_CACHE_HOME: file('cache'),
    npm_config_cache: file('cache/npm'),
    npm_config_update_notifier: 'false',
  };
  const write = (name: string, content: string): void => {
    fs.mkdirSync(path.dirname(file(name)), { recursive: true });
    fs.writeFileSync(file(name), content);
  };
  for (const block of documents.flatMap((name) => blocksOf(readDocument(name)))) {
    if (block.file !== null) write(block.file, block.text);
  }
  return {
    path: folder,
    env,
    write,
    run: async (command, args) => {
      try {
        return (await promisify(execFile)(command, args, { cwd: folder, env })).stdout;
      } catch (error) {
        const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
        throw new Error(`${command} failed: ${stdout}${stderr}`, { cause: error });
      }
    },
    [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/** @returns the addon of "Getting started", compiled once */
export function counterAddon(): string {
  using project = createProject('docs/getting-started.md');
  return compileAddon([cxxObject(path.join(project.path, 'counter.cc'))], ['-lstdc++']);
}
