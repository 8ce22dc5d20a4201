/** Which of the changes that a watch tells of are the doing of one's own builds. */
import { hasChangedSince } from './build/files.ts';
import { stampOf, stampsOf } from './build/turns.ts';
import type { Outside } from './outside.ts';
import { BuildChanges, hashOf } from './watch/build-changes.ts';
import { type RestartRequest, Restarts } from './watch/restarts.ts';

/** Whose changes are judged. */
export interface FilterSubject {
  readonly outside: Outside;
  /** Whether anybody builds; else every change is somebody else's. */
  readonly hasBuilds: boolean;
  /** What a build writes and somebody else may write, too: the addon, and the libraries beside it. */
  products(): readonly string[];
  /** Whether these are the bytes of that product which serve, or were refused. */
  isKnown(product: string, hash: string): boolean;
  /** Whether a build of this thread left the product as it is, or may be writing it. */
  isBuiltHere(product: string): Promise<boolean>;
}

/** Drops what builds have written. */
export class ChangeFilter {
  readonly #subject: FilterSubject;
  readonly #changes: BuildChanges;
  readonly #restarts: Restarts;
  /** Judging reads files; one list at a time, so that none overtakes another. */
  #judged: Promise<void> = Promise.resolve();
  /** Time and size of the products as the last builds left them. */
  #left: Promise<ReadonlyMap<string, string | null>> = Promise.resolve(new Map());

  constructor(subject: FilterSubject, request: RestartRequest) {
    this.#subject = subject;
    this.#changes = new BuildChanges(subject.outside);
    this.#restarts = new Restarts(request);
  }

  /** A build begins; the first of several that are one reload. */
  buildBegan(): void {
    this.#changes.begin();
    this.#restarts.begin();
  }

  /** The last of them ended, well or badly. Called again, also for a failure after the build, it does nothing. */
  buildEnded(): void {
    if (!this.#changes.isBuilding) return;
    this.#left = stampsOf(this.#subject.products(), this.#subject.outside);
    this.#changes.end();
    this.#restarts.end();
  }

  push(changed: readonly string[]): void {
    this.#judged = this.#judged.then(() => this.#judge(changed));
  }

  /** Tells of those that have changed since the last build began. */
  async pushLate(files: readonly string[]): Promise<void> {
    const late: string[] = [];
    for (const file of files) {
      if (await hasChangedSince(this.#subject.outside, file, this.#changes.startedMs)) late.push(file);
    }
    if (late.length > 0) this.push(late);
  }

  /** Tells of those of these products that have other bytes than known: they changed before they were watched. */
  async pushOthers(files: readonly string[]): Promise<void> {
    for (const file of files) {
      const hash = await hashOf(this.#subject.outside, file);
      if (hash !== null && !this.#subject.isKnown(file, hash)) this.push([file]);
    }
  }

  async #judge(changed: readonly string[]): Promise<void> {
    if (!this.#subject.hasBuilds) return this.#restarts.changedOutside(changed);
    const products = new Set(this.#subject.products());
    const { files, inBuild } = await this.#changes.judge(changed.filter((file) => !products.has(file)));
    const foreign: string[] = [];
    for (const file of changed) {
      if (products.has(file) && (await this.#isForeign(file))) foreign.push(file);
    }
    if (foreign.length > 0) this.#restarts.changedOutside([...files, ...foreign].sort());
    else if (files.length > 0 && inBuild) this.#restarts.changedInside(files);
    else if (files.length > 0) this.#restarts.changedOutside(files);
  }

  /** Whether somebody else has put other bytes there than those that serve, or were refused. */
  async #isForeign(product: string): Promise<boolean> {
    const { outside } = this.#subject;
    if (this.#changes.isBuilding || (await this.#subject.isBuiltHere(product))) return false;
    const left = (await this.#left).get(product);
    if (left !== undefined && left === (await stampOf(product, outside))) return false;
    const hash = await hashOf(outside, product);
    return hash === null || !this.#subject.isKnown(product, hash);
  }
}
