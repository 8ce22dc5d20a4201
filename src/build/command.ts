/** Builds with any command. */
import path from 'node:path';
import type { SourcePath } from '../brands.ts';
import { errors } from '../errors.ts';
import type { ResolvedCommand } from '../build-options.ts';
import type { Outside } from '../outside.ts';
import { momentNow, timeOf } from '../wall-clock.ts';
import { attempt } from './attempt.ts';
import { inputsOf } from './backend-files.ts';
import type { Builder } from './builder.ts';
import { isInside, nearestWith } from './files.ts';
import { findObjects, removeStaleObjects } from './stale.ts';

/** Files that mark the folder of a project. */
const MARKS = ['package.json', 'binding.gyp', 'CMakeLists.txt'];

/**
 * @throws `ERR_INVALID_OPTION` when it names no folder and none above the addon is one of a project
 */
export async function createCommandBuilder(
  command: ResolvedCommand,
  source: SourcePath,
  outside: Outside,
): Promise<Builder> {
  const root = command.cwd ?? (await nearestWith(outside, path.dirname(source), MARKS));
  if (root !== null) return commandBuilder(command, source, outside, path.resolve(root));
  throw errors.invalidOption({
    option: 'build.cwd',
    found: `none, and no ${MARKS.join(', ')} in any folder above ${JSON.stringify(source)}`,
    wanted: 'the folder to run the command in',
  });
}

function commandBuilder(build: ResolvedCommand, source: SourcePath, outside: Outside, root: string): Builder {
  const { command, args, env } = build;
  const title = [command, ...args].join(' ');
  const output = outputFolder(root, source);
  return {
    root,
    async build(request) {
      const what = {
        addon: source,
        command,
        args,
        cwd: root,
        env,
        title,
        messagesFrom: root,
        writesAddon: true,
      };
      const began = momentNow(outside);
      if (request.clean === true && output !== null) {
        for (const { file } of await findObjects(outside, output)) await outside.remove(file).catch(() => {});
      }
      try {
        return { configured: false, skipped: false, ...(await attempt(outside, what, request)) };
      } finally {
        if (output !== null) {
          const objects = await findObjects(outside, output);
          const sinceMs = timeOf(outside, began);
          await removeStaleObjects(outside, { objects, bases: [output, root], output, sinceMs });
        }
      }
    },
    async inputs() {
      const kind = output === null ? null : 'make';
      return [...(await inputsOf(outside, { kind, folder: output ?? root, root }))].sort();
    },
  };
}

/** The top folder that the addon is written under; null when that is the project's own folder. */
function outputFolder(root: string, source: SourcePath): string | null {
  if (!isInside(root, source)) return path.dirname(source);
  const [top = '', below] = path.relative(root, source).split(path.sep);
  return below === undefined ? null : path.join(root, top);
}
