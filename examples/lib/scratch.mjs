/** A copy of the example's source that may be edited, and leaves nothing behind. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

const SOURCES = ['binding.gyp', 'src'];
/** Name of a copy: the process that made it, and a random part. */
const COPY_NAME = /^(\d+)-/;

/**
 * Copies the example below its own build folder. There `node-addon-api` resolves as it does for the example, and the
 * relative paths in a build folder are the same for every copy, so that one run can start from the objects of the one
 * before. File times come along: make itself decides what is out of date.
 *
 * @param {string} example folder of the example
 * @param {string} target what its binding.gyp calls the addon
 */
export function createScratch(example, target) {
  const parent = path.join(example, 'build', 'tour');
  mkdirSync(parent, { recursive: true });
  sweep(parent);
  const root = mkdtempSync(path.join(parent, `${process.pid}-`));
  const remove = () => rmSync(root, { recursive: true, force: true });
  process.once('exit', remove);
  for (const name of SOURCES) copy(path.join(example, name), path.join(root, name));

  const build = path.join(root, 'build');
  const kept = path.join(parent, `kept-${process.version}-${process.arch}`);
  const warm = existsSync(kept) && attempt(() => copy(kept, build));
  if (!warm) rmSync(build, { recursive: true, force: true });

  return {
    root,
    addon: path.join(build, 'Release', `${target}.node`),
    /** Whether the build starts from the objects of an earlier run. */
    warm,
    /** Leaves this build's objects to the next run. Another run may do so at the same time: one of them wins. */
    keepBuild() {
      const copied = path.join(root, 'kept');
      copy(build, copied);
      rmSync(kept, { recursive: true, force: true });
      attempt(() => renameSync(copied, kept));
    },
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}

function copy(from, to) {
  cpSync(from, to, { recursive: true, preserveTimestamps: true });
}

function attempt(action) {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Removes the copies of processes that were killed. */
function sweep(parent) {
  for (const name of readdirSync(parent)) {
    const owner = COPY_NAME.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) {
      rmSync(path.join(parent, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
