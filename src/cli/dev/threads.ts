/** The threads of the app: who runs which addon, and what becomes of it when all of them are asked to reload. */
import type { LinkEvent, LinkHandle, LinkVerb } from '../../link/messages.ts';
import type { LinkListener, LinkPeer } from '../../link/server.ts';
import type { Outside } from '../../outside.ts';
import { PHASES, type Phase, type PhasesMs } from '../../report.ts';
import { whyRestart } from './cures.ts';
import type { DevEvent, Kept, Outcome, Place } from './events.ts';

/** How long a thread may take to answer before that is told of, in milliseconds. */
export const ANSWER_NOTICE_MS = 3_000;

/** How one reload went, in one handle. */
type Ending = Extract<LinkEvent, { readonly name: 'reloaded' | 'unchanged' | 'failed' }>;

/** What a handle has come to, since all were asked. */
interface Told {
  readonly peer: LinkPeer;
  readonly ending: Ending;
}

export interface ThreadsOptions {
  readonly outside: Outside;
  tell(event: DevEvent): void;
  opened(handle: LinkHandle): void;
  /** The app asks to be started again. */
  invalidated(message: string): void;
}

export class Threads implements LinkListener {
  readonly #options: ThreadsOptions;
  readonly #peers = new Set<LinkPeer>();
  /** By addon: those that are asked now. */
  readonly #asked = new Map<string, Told[]>();

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  connected(peer: LinkPeer): void {
    this.#peers.add(peer);
    this.#options.tell({ type: 'connected', ...placeOf(peer) });
  }

  disconnected(peer: LinkPeer): void {
    this.#peers.delete(peer);
    this.#options.tell({ type: 'disconnected', ...placeOf(peer) });
  }

  opened(peer: LinkPeer, handle: LinkHandle): void {
    this.#options.tell({ type: 'opened', ...placeOf(peer), handle });
    this.#options.opened(handle);
  }

  event(peer: LinkPeer, { addon, handle }: LinkHandle, event: LinkEvent): void {
    const told = this.#asked.get(addon);
    if (event.name === 'reloaded' || event.name === 'unchanged' || event.name === 'failed')
      told?.push({ peer, ending: event });
    const asked = told !== undefined;
    this.#options.tell({ type: 'addon', ...placeOf(peer), addon, handle, asked, event });
  }

  invalidated(_: LinkPeer, message: string): void {
    this.#options.invalidated(message);
  }

  trouble(message: string): void {
    this.#options.tell({ type: 'warning', code: 'link', message });
  }

  /** Main threads first, the process that is older first. */
  get all(): readonly LinkPeer[] {
    return [...this.#peers].sort((a, b) => a.pid - b.pid || a.threadId - b.threadId);
  }

  /** Absolute paths of what any of them runs. */
  get addons(): ReadonlySet<string> {
    return new Set(this.all.flatMap(({ handles }) => [...handles.values()].map(({ addon }) => addon)));
  }

  /**
   * Asks all that run the addon, those of one process one after the other, and waits for them.
   *
   * @returns null when nobody runs it
   */
  async ask(verb: 'reload' | 'rollback', addon: string): Promise<Outcome | null> {
    const peers = this.all.filter(({ handles }) =>
      [...handles.values()].some((each) => each.addon === addon),
    );
    const told: Told[] = [];
    this.#asked.set(addon, told);
    try {
      const pids = [...new Set(peers.map(({ pid }) => pid))];
      const answers = await Promise.all(
        pids.map((pid) =>
          this.#askProcess(
            verb,
            addon,
            peers.filter((peer) => peer.pid === pid),
            told,
          ),
        ),
      );
      return conclude(addon, told, answers.flat());
    } finally {
      this.#asked.delete(addon);
    }
  }

  async versions(): Promise<readonly (Place & { readonly handles: readonly LinkHandle[] })[]> {
    const answers = this.all.map(async (peer) => {
      const answer = await this.#askThread(peer, 'versions', '');
      return { ...placeOf(peer), handles: answer?.handles ?? [] };
    });
    return Promise.all(answers);
  }

  async #askProcess(
    verb: LinkVerb,
    addon: string,
    peers: readonly LinkPeer[],
    told: Told[],
  ): Promise<readonly LinkHandle[]> {
    const handles: LinkHandle[] = [];
    for (const peer of peers) {
      const answer = await this.#askThread(peer, verb, addon);
      if (answer === null) continue;
      handles.push(...answer.handles);
      if (answer.failure !== null) told.push({ peer, ending: { name: 'failed', failure: answer.failure } });
    }
    return handles;
  }

  async #askThread(peer: LinkPeer, verb: LinkVerb, addon: string): ReturnType<LinkPeer['ask']> {
    const { outside, tell } = this.#options;
    const cancel = outside.after(ANSWER_NOTICE_MS, () => tell({ type: 'waiting', ...placeOf(peer) }));
    try {
      return await peer.ask(verb, addon);
    } finally {
      cancel();
    }
  }
}

function placeOf({ pid, threadId }: LinkPeer): Place {
  return { pid, threadId };
}

/** @param handles of those who answered, as they are now. @returns null when nobody told of anything */
function conclude(addon: string, told: readonly Told[], handles: readonly LinkHandle[]): Outcome | null {
  const [first] = told;
  if (first === undefined) return null;
  const reloads = told.flatMap(({ ending }) => (ending.name === 'reloaded' ? ending : []));
  const refusals = told.filter(({ ending }) => ending.name === 'failed');
  const [failure = null] = told.flatMap(({ ending }) => (ending.name === 'failed' ? ending.failure : []));
  const advised = reloads.find(({ recommended }) => recommended !== null)?.recommended ?? null;
  return {
    addon,
    outcome: failure !== null ? 'failed' : reloads.length > 0 ? 'reloaded' : 'unchanged',
    serving: handles[0]?.serving ?? null,
    from: reloads[0]?.from ?? null,
    restored: reloads[0]?.restored ?? null,
    retired: reloads[0]?.retired ?? null,
    state: reloads[0]?.state ?? null,
    failedThreads: new Set(refusals.map(({ peer }) => peer)).size,
    threads: new Set(told.map(({ peer }) => peer)).size,
    processes: new Set(told.map(({ peer }) => peer.pid)).size,
    phasesMs: slowest(reloads.map(({ phasesMs }) => phasesMs)),
    failure,
    restartBecause: failure !== null ? whyRestart(failure) : advised,
    moved: reloads.reduce((sum, { moved }) => sum + moved, 0),
    stayed: reloads.reduce((sum, { stayed }) => sum + stayed, 0),
    kept: keptOf(handles),
  };
}

/** Of the thread in which a stage took longest. */
function slowest(all: readonly PhasesMs[]): PhasesMs {
  const phasesMs: Partial<Record<Phase, number>> = {};
  for (const phase of PHASES) {
    const times = all.flatMap((each) => each[phase] ?? []);
    if (times.length > 0) phasesMs[phase] = Math.max(...times);
  }
  return phasesMs;
}

/** What is in memory besides the versions that serve. */
export function keptOf(handles: readonly LinkHandle[]): Kept {
  const kept = handles.flatMap(({ serving, versions }) => versions.filter(({ id }) => id !== serving));
  return {
    count: kept.length,
    bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0),
    because: [...new Set(kept.map(whyInMemory))],
  };
}

/** @returns such as `pinned: thread ×2` */
export function whyInMemory({ state, reason, pins, sharedWith }: LinkHandle['versions'][number]): string {
  if (state === 'pinned') return `pinned: ${pins.map(({ kind, count }) => `${kind} ×${count}`).join(', ')}`;
  if (state === 'kept') return `kept: ${reason ?? 'for good'}`;
  if (state === 'shared') return `shared with ${sharedWith} other handles`;
  return state;
}
