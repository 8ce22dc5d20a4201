/** What is to be built, by what a configuration, the command line and the folder say. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { SourcePath } from '../../brands.ts';
import { createBuilder } from '../../build/create-builder.ts';
import { nearestWith } from '../../build/files.ts';
import { isIncluded, optionsFor } from '../../config/options-for.ts';
import type { ResolvedConfig } from '../../config/resolve.ts';
import { resolveOptions } from '../../options.ts';
import type { Outside } from '../../outside.ts';
import { addonsIn, DESCRIPTIONS, findAddons, projectOf } from './find-projects.ts';
import type { ProjectPlan } from './project.ts';

export interface PlanRequest {
  readonly config: ResolvedConfig;
  /** Absolute. */
  readonly cwd: string;
  /** Paths of addons that the command line names; with any, no others are looked for. */
  readonly named: readonly string[];
  readonly delayMs: number | null;
  readonly pollMs: number | null;
}

/** What a glob has and the name of one file does not. */
const IS_GLOB = /[*?[\]{}!()]/;
/** The built file itself is watched all the same. */
const WATCHES_NO_SOURCES = { paths: [] };

/** One for each project; none where the folder has none, and nobody has named an addon. */
export async function planProjects(outside: Outside, request: PlanRequest): Promise<readonly ProjectPlan[]> {
  const { config, cwd, named } = request;
  const configured = config.addons.filter(({ key }) => !IS_GLOB.test(key)).map(({ path: file }) => file);
  const wanted = named.length > 0 ? named.map((file) => realPathOf(path.resolve(cwd, file))) : configured;
  if (wanted.length > 0) return planEach(outside, wanted, request);
  const below = await findAddons(outside, cwd);
  const above = below.size > 0 ? null : await nearestWith(outside, path.dirname(cwd), DESCRIPTIONS);
  const found = above === null ? below : new Map([[above, (await addonsIn(outside, above)) ?? []]]);
  return [...found.values()].flatMap((addons) => {
    return (
      planOf(
        addons.filter((addon) => isIncluded(config, addon)),
        request,
      ) ?? []
    );
  });
}

/** Builds an addon that the app has opened, and what else its project has. @returns null when nothing here builds it */
export async function planOpened(
  outside: Outside,
  addon: string,
  request: PlanRequest,
): Promise<ProjectPlan | null> {
  const folder = await projectOf(outside, addon);
  if (folder === null || !isIncluded(request.config, addon)) return null;
  const others = (await addonsIn(outside, folder)) ?? [];
  return planOf([addon, ...others.filter((other) => other !== addon)], request);
}

/**
 * Says whether all of them can be built, and holds nothing open.
 *
 * @throws `ERR_INVALID_OPTION` when the folder of one cannot be found, or does not tell how it is built
 */
export async function checkPlans(outside: Outside, plans: readonly ProjectPlan[]): Promise<void> {
  for (const { build, addons } of plans) await createBuilder(build, addons[0], outside);
}

/** Those of one project are built by one command. */
async function planEach(
  outside: Outside,
  addons: readonly string[],
  request: PlanRequest,
): Promise<readonly ProjectPlan[]> {
  const byProject = new Map<string, string[]>();
  for (const addon of addons) {
    const folder = (await nearestWith(outside, path.dirname(addon), DESCRIPTIONS)) ?? addon;
    // Two commands for one folder write two addons.
    const key = `${folder}\0${JSON.stringify(optionsFor(request.config, addon).build ?? null)}`;
    byProject.set(key, [...(byProject.get(key) ?? []), addon]);
  }
  return [...byProject.values()].flatMap((each) => planOf(each, request) ?? []);
}

/** What the first of them says is said for all. */
function planOf(addons: readonly string[], { config, delayMs, pollMs }: PlanRequest): ProjectPlan | null {
  const [first, ...others] = addons as SourcePath[];
  if (first === undefined) return null;
  const { build = 'auto', watch = true, buildTimeoutMs } = optionsFor(config, first);
  const { watch: watched, ...options } = resolveOptions({
    build,
    watch: watch === false ? WATCHES_NO_SOURCES : watch,
    ...(buildTimeoutMs === undefined ? {} : { buildTimeoutMs }),
  });
  assert(watched !== null);
  return {
    addons: [first, ...others],
    build: options.build,
    watch: { ...watched, debounceMs: delayMs ?? watched.debounceMs },
    pollMs,
    buildTimeoutMs: options.buildTimeoutMs,
  };
}

/** As Node.js opens it, also where it is not built yet. */
function realPathOf(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    const folder = path.dirname(file);
    return folder === file ? file : path.join(realPathOf(folder), path.basename(file));
  }
}
