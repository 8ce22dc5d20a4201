/** The end of the link that a thread of the app has. It never keeps the app alive, and its end changes nothing there. */
import net from 'node:net';
import process from 'node:process';
import { threadId } from 'node:worker_threads';
import type { Addon } from '../addon.ts';
import type { AddonEvents, Listener } from '../events.ts';
import { type Channel, openChannel } from './channel.ts';
import { type FromApp, type FromDev, LINK_PROTOCOL, type LinkAnswer, type LinkFailure } from './messages.ts';
import { parseFromDev } from './parse.ts';
import { currentOf, EVENT_SUMMARIES, summarizeFailure, summarizeHandle } from './summary.ts';

/** Calls `listener` for each handle that is opened from now on; returns what ends that. */
export type SubscribeToOpened = (listener: (addon: Addon) => void) => () => void;

export interface LinkOptions {
  /** Of the socket: what the environment has under {@link LINK_VARIABLE}. */
  readonly path: string;
  /** The open handles of this thread. */
  handles(): Iterable<Addon>;
  readonly onOpened: SubscribeToOpened;
  /** Called once, when the link is lost or could not be made. The handles go on serving. */
  readonly onEnd?: () => void;
}

export interface Link {
  /** Asks for the app to be started again, and says why. Does nothing once the link has ended. */
  invalidate(message: string): void;
}

/**
 * Connects this thread to the `napi-reload dev` that started it: its handles are told of, and reload when they are
 * asked to.
 *
 * @example
 * ```ts
 * const link = connectLink({ path: process.env.NAPI_RELOAD_DEV, handles: () => open.values(), onOpened });
 * ```
 */
export function connectLink(options: LinkOptions): Link {
  return new AppLink(options);
}

interface Known {
  readonly number: number;
  /** Absolute path of what it serves. */
  readonly addon: string;
  /** A handle that somebody listens to keeps its warnings from the process: nobody does once the link has ended. */
  stopListening(): void;
}

class AppLink implements Link {
  readonly #channel: Channel<FromApp>;
  readonly #known = new Map<Addon, Known>();
  readonly #unsubscribe: () => void;
  #lastNumber = 0;
  /** One request at a time: reloads of a thread must not overtake each other. */
  #asked: Promise<void> = Promise.resolve();

  constructor({ path, handles, onOpened, onEnd }: LinkOptions) {
    const socket = net.connect(path);
    socket.unref();
    this.#channel = openChannel<FromDev, FromApp>(socket, parseFromDev, {
      onMessage: (message) => {
        this.#asked = this.#asked.then(() => this.#answer(message));
      },
      onEnd: () => {
        this.#end();
        onEnd?.();
      },
    });
    const { pid, argv } = process;
    this.#send({ type: 'hello', protocol: LINK_PROTOCOL, pid, threadId, argv });
    this.#unsubscribe = onOpened((addon) => this.#tell(addon));
    for (const addon of handles()) this.#tell(addon);
  }

  invalidate(message: string): void {
    this.#send({ type: 'invalidate', message });
  }

  #end(): void {
    this.#unsubscribe();
    for (const { stopListening } of this.#known.values()) stopListening();
    this.#known.clear();
  }

  #send(message: FromApp): void {
    this.#channel.send(message);
  }

  #tell(addon: Addon): void {
    if (this.#known.has(addon)) return;
    const source = currentOf(addon)?.source;
    if (source === undefined) return;
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    this.#send({ type: 'opened', ...summarizeHandle(number, source, addon) });
    const names = Object.keys(EVENT_SUMMARIES) as (keyof AddonEvents)[];
    const stops = names.map((name) => this.#forward(addon, number, name));
    const stopListening = (): void => {
      for (const stop of stops) stop();
    };
    this.#known.set(addon, { number, addon: source, stopListening });
    addon.once('closed', () => this.#known.delete(addon));
  }

  /** @returns what ends it */
  #forward<K extends keyof AddonEvents>(addon: Addon, handle: number, name: K): () => void {
    const summarize = EVENT_SUMMARIES[name];
    if (summarize === undefined) return () => {};
    const listener: Listener<K> = (...args) => {
      this.#send({ type: 'event', handle, event: summarize(...args) });
    };
    addon.on(name, listener);
    return () => addon.off(name, listener);
  }

  /** Never rejects: nothing that goes wrong here may end the app. */
  async #answer(message: FromDev): Promise<void> {
    const { id } = message;
    const answer = await this.#do(message).catch((error: unknown) => {
      return { failure: summarizeFailure(error), handles: [] };
    });
    this.#send({ type: 'reply', id, ...answer });
  }

  async #do(message: FromDev): Promise<LinkAnswer> {
    let failure: LinkFailure | null = null;
    const asked = [...this.#known].filter(([, { addon }]) => {
      return message.type === 'versions' || addon === message.addon;
    });
    if (message.type !== 'versions') {
      for (const [addon] of asked) failure = (await attempt(addon, message.type)) ?? failure;
    }
    const handles = asked
      .filter(([addon]) => this.#known.has(addon))
      .map(([addon, known]) => summarizeHandle(known.number, known.addon, addon));
    return { failure, handles };
  }
}

/** @returns what the handle itself does not tell of by an event; null where it went well or `failed` told of it */
async function attempt(addon: Addon, verb: 'reload' | 'rollback'): Promise<LinkFailure | null> {
  let told = false;
  const onFailed = (): void => {
    told = true;
  };
  addon.once('failed', onFailed);
  try {
    await addon[verb]();
    return null;
  } catch (error) {
    return told ? null : summarizeFailure(error);
  } finally {
    addon.off('failed', onFailed);
  }
}
