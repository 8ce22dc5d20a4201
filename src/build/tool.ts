/** What tells one known builder from another. `tool-builder.ts` does with it what is the same for all. */
import type { SourcePath } from '../brands.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Attempt } from './attempt.ts';
import type { CompiledObject } from './stale.ts';

/** A command without what is the same for all commands of a builder. */
export type Launch = Pick<Attempt, 'command' | 'args' | 'cwd' | 'env' | 'holds' | 'title' | 'messagesFrom'>;

/** The program that runs the compilers, once the project is configured. */
export interface Backend {
  readonly kind: 'make' | 'ninja';
  /** Absolute folder that it runs in. */
  readonly folder: string;
  /** What it is given besides the number of jobs. */
  readonly args: readonly string[];
  /** Whether its steps may run side by side. */
  readonly isParallel: boolean;
  /**
   * What a dry run knows of a real one. Of gyp's Makefile it knows the compilations, and lists each link; of CMake's nothing
   * to rely on, as those read depfiles only in a real one.
   */
  readonly foresees: 'all' | 'compilations' | 'nothing';
}

export interface Configure extends Launch {
  isNeeded(): Promise<boolean>;
  /** Leaves nothing behind that passes for a good one. */
  undo(): Promise<void>;
  /** What to say of it, however it ends. */
  notes(): Promise<readonly Diagnostic[]>;
}

export interface Tool {
  /** The folder that the build belongs to. */
  readonly root: string;
  /** Absolute folder that all objects are below. */
  readonly output: string;
  /** Whether sources are in there, too. */
  readonly outputHasSources: boolean;
  readonly source: SourcePath;
  /** Null when somebody else configures. */
  readonly configure: Configure | null;
  /** Compiles and links. */
  readonly build: Launch;
  /** Names of the programs that it takes. */
  programs(): Promise<readonly string[]>;
  /** @returns null when there is none that can be started without `build` */
  backend(): Promise<Backend | null>;
  /** All objects whose sources are known. */
  objects(): Promise<readonly CompiledObject[]>;
  /** As {@link import('./builder.ts').Builder.inputs}. */
  inputs(): Promise<readonly string[]>;
  /** Makes sure that an edit of a description while the build ran is in the next one. */
  afterBuild(sinceMs: number): Promise<void>;
}
