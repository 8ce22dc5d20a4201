/** All projects of a session: those that were planned, and those that the app leads to. */
import type { Outside } from '../../outside.ts';
import { Project, type ProjectListener, type ProjectPlan } from './project.ts';

export interface ProjectsOptions {
  readonly outside: Outside;
  readonly listener: ProjectListener;
  /** @returns how to build an addon that the app has opened; null when nothing here does */
  planFor(addon: string): Promise<ProjectPlan | null>;
}

export class Projects {
  readonly all: Project[] = [];
  readonly #options: ProjectsOptions;
  /** Addons that the app has opened and no project had, each looked at once. */
  readonly #strangers = new Set<string>();
  /** One after the other: several addons may be of one project. */
  #adopting: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: ProjectsOptions) {
    this.#options = options;
  }

  /** Whether nothing is missing that the app may load. */
  get areBuilt(): boolean {
    return this.all.every(({ isBuilt }) => isBuilt);
  }

  of(addon: string): Project | undefined {
    return this.all.find((project) => project.has(addon));
  }

  /**
   * Watches what is planned.
   *
   * @returns null where a project has its addons built by the same command, which builds these from now on, too
   * @throws `ERR_INVALID_OPTION`
   */
  async open(plan: ProjectPlan): Promise<Project | null> {
    const { listener, outside } = this.#options;
    const project = await Project.open(plan, listener, outside);
    const known = this.all.find((each) => each.isSameAs(project));
    if (known === undefined && !this.#isClosed) {
      if (this.all.some(({ root }) => root === project.root)) project.id = plan.addons[0];
      this.all.push(project);
      return project;
    }
    await project.close();
    for (const addon of plan.addons) await known?.addAddon(addon);
    return null;
  }

  /**
   * Has an addon built from now on that only the app knew of.
   *
   * @returns the project that this takes; null where it takes none
   */
  adopt(addon: string): Promise<Project | null> {
    if (this.#strangers.has(addon)) return Promise.resolve(null);
    this.#strangers.add(addon);
    const adopted = this.#adopting.then(async () => {
      const plan = this.of(addon) === undefined ? await this.#options.planFor(addon) : null;
      return plan === null ? null : this.open(plan);
    });
    this.#adopting = adopted.catch(() => undefined);
    return adopted;
  }

  /** Ends builds in flight. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.all.map((project) => project.close()));
  }
}
