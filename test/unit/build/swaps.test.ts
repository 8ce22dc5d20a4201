/** Whole handles on whole builders: every edit goes live, with the state, and a mistake in between loses nothing. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isReloadError, type OpenOptions, open } from '../../../src/index.ts';
import {
  isInstalled,
  kernelC,
  makeProject,
  type Project,
  writeCmake,
  writeGyp,
  writeSources,
} from '../../support/projects.ts';

/** A few in `npm test`, all of them in the runs of `npm run test:versions`. */
const EDITS = Number(process.env['EDITS'] ?? 8);
/** The edit after which there is a mistake. */
const MISTAKE_AFTER = EDITS / 2;

let project: Project;

beforeEach(() => {
  project = makeProject();
  writeSources(project);
});

afterEach(() => project.remove());

interface Kernel {
  value(): number;
  count(): number;
}

const openKernel = (options: OpenOptions) =>
  open<Kernel>(project.addon, { ...options, stageDir: project.at('.stage') });

/** Saves as editors do. */
function save(text: string): void {
  project.write('src/kernel.c~', text);
  fs.renameSync(project.at('src/kernel.c~'), project.at('src/kernel.c'));
}

const KINDS = [
  { tool: 'node-gyp', describeBuild: () => writeGyp(project), needs: [] },
  { tool: 'cmake-js', describeBuild: () => writeCmake(project), needs: ['cmake'] },
] as const;

describe.each(KINDS)('$tool', ({ tool, describeBuild, needs }) => {
  test.skipIf(!needs.every(isInstalled))(
    `makes ${EDITS} edits ${EDITS} versions, and loses nothing to a mistake in the middle`,
    { timeout: 180_000 },
    async () => {
      describeBuild();
      await using kernel = await openKernel({ build: tool });
      const { count, value } = kernel.exports;
      for (let edit = 1; edit <= EDITS; edit += 1) {
        save(kernelC(edit + 1));
        const report = await kernel.reload();
        expect(report).toMatchObject({ status: 'reloaded', to: edit + 1 });
        expect([value(), count()]).toEqual([edit + 1, edit]);
        if (edit !== MISTAKE_AFTER) continue;
        save(`${kernelC(99)}int broken(\n`);
        const error: unknown = await kernel.reload().catch((reason: unknown) => reason);
        expect(isReloadError(error, 'ERR_BUILD_FAILED')).toBe(true);
        expect(value()).toBe(edit + 1);
      }
      expect(kernel.current.id).toBe(EDITS + 1);
    },
  );

  test.skipIf(!needs.every(isInstalled))(
    'a save of the same bytes starts no builder, and no reload',
    async () => {
      describeBuild();
      await using kernel = await openKernel({ build: tool });
      const steps: string[] = [];
      const skipped: boolean[] = [];
      kernel.on('progress', ({ step }) => step === undefined || steps.push(step));
      kernel.on('built', (outcome) => skipped.push(outcome.skipped));
      // Until what was written just now is no longer of the moment in which a build began.
      while (skipped.at(-1) !== true) await kernel.reload();
      save(kernelC(2));
      expect(await kernel.reload()).toMatchObject({ status: 'reloaded' });
      expect([skipped.at(-1), steps.length > 0]).toEqual([false, true]);
      steps.length = 0;
      save(kernelC(2));
      expect(await kernel.reload()).toMatchObject({ status: 'unchanged', reason: 'live' });
      expect([skipped.at(-1), steps]).toEqual([true, []]);
      expect(kernel.exports.value()).toBe(2);
    },
  );
});
