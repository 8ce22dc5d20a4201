/** A new version is tried in a process that is thrown away: it is loaded, takes a copy of the state, and saves it again. */
import { errors, isReloadError } from '../errors.ts';
import type { Outside } from '../outside.ts';
import type { Reason } from '../state/hooks.ts';
import type { MemoryClaim } from '../state/memory.ts';
import { shareMemory } from './share-memory.ts';
import type { Ask, Loaded, LoadRequest, MemoryAnswer, MemoryAsk, Saved } from './messages.ts';
import type { HostEnd, Line } from './line.ts';
import { Session } from './session.ts';
import { sweepAfter } from './sweep.ts';
import { toWire, toWireError, type Wire } from './wire.ts';

export interface RehearsalOptions extends LoadRequest {
  readonly outside: Outside;
  readonly start: (version: number) => Line;
  /** What it asks for there is undone afterwards. */
  readonly memory: MemoryClaim;
  readonly reason: Reason;
}

/** What hooks are told of the state, once the schema of the new version is known. */
export interface RehearsalState {
  readonly state: unknown;
  readonly from?: { readonly version: number; readonly schema: number };
}

type Step = 'load' | 'prepare' | 'init' | 'save';

const nobody = { take: () => null, give: () => undefined };

/**
 * @param stateFor carries the state to what the new version takes
 * @throws `ERR_REHEARSAL_CRASHED`, or what the load or a hook was refused for
 */
export async function rehearse(
  options: RehearsalOptions,
  stateFor: (hooks: Loaded['hooks']) => RehearsalState,
): Promise<void> {
  const rehearsal = new Rehearsal(options);
  try {
    await rehearsal.run(stateFor);
  } finally {
    await rehearsal.end();
  }
}

class Rehearsal {
  readonly #options: RehearsalOptions;
  readonly #session: Session;
  #during: Step = 'load';
  #isLate = false;

  constructor(options: RehearsalOptions) {
    this.#options = options;
    const { outside, id, source } = options;
    this.#session = new Session({
      addon: source,
      version: id,
      line: options.start(id),
      objects: nobody,
      callTimeoutMs: null,
      nowMs: () => outside.nowMs(),
      after: (delayMs, callback) => outside.after(delayMs, callback),
      answerMemory: (request) => this.#answerMemory(request),
      unloaded: () => errors.aborted({ addon: source, during: 'rehearse' }),
      callBack: () => undefined,
      released: () => undefined,
      onEnd: () => undefined,
    });
  }

  async run(stateFor: (hooks: Loaded['hooks']) => RehearsalState): Promise<void> {
    const { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs, reason } = this.#options;
    const load = { id, source, path, hash, libraryHashes, stageDir, reclaim, hookTimeoutMs, firstId: -1 };
    // How long Node.js takes to start is no fault of the addon.
    await this.#session.ready;
    const { hooks } = await this.#ask<Loaded>('load', { kind: 'load', ...load });
    const { state, ...from } = stateFor(hooks);
    const context = { reason, ...from };
    const nothing: Wire = { value: undefined };
    if (hooks.has.includes('prepare')) {
      await this.#ask('prepare', { kind: 'hook', hook: 'prepare', context: { ...context, state: nothing } });
    }
    if (!hooks.has.includes('init')) return;
    await this.#ask('init', {
      kind: 'hook',
      hook: 'init',
      context: { ...context, state: toWire(state, nobody) },
    });
    if (hooks.has.includes('save')) await this.#ask<Saved>('save', { kind: 'save', classes: [] });
  }

  /** Nothing of it is of use any more. */
  async end(): Promise<void> {
    this.#session.kill('exit');
    await this.#session.finish(0);
    const { stageDir, outside } = this.#options;
    await sweepAfter(stageDir, this.#session.pid, outside);
    this.#options.memory.undo();
  }

  async #ask<T>(during: Step, ask: Ask): Promise<T> {
    const { outside, hookTimeoutMs } = this.#options;
    this.#during = during;
    const cancel = outside.after(hookTimeoutMs, () => {
      this.#isLate = true;
      this.#session.kill('exit');
    });
    try {
      return await this.#session.ask<T>(ask);
    } catch (error) {
      if (!isReloadError(error, 'ERR_HOST_CRASHED') || error.details.reason === 'start-failed') throw error;
      throw this.#crash(error.details);
    } finally {
      cancel();
    }
  }

  #crash({
    exitCode,
    signal,
    stderr,
  }: Pick<HostEnd, 'exitCode' | 'stderr'> & { readonly signal: string | null }): Error {
    const { source: addon, id: version } = this.#options;
    const reason = this.#isLate ? 'timeout' : 'exit';
    return errors.rehearsalCrashed({
      addon,
      version,
      exitCode,
      signal,
      stderr,
      reason,
      during: this.#during,
    });
  }

  #answerMemory({ name, byteLength, grow }: MemoryAsk): MemoryAnswer {
    try {
      return shareMemory(this.#options.memory, name, byteLength, grow);
    } catch (error) {
      return { error: toWireError(error) };
    }
  }
}
