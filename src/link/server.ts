/** The end of the link that `napi-reload dev` has: a socket in a folder of its own, and a peer for each thread. */
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, errors } from '../errors.ts';
import { type Channel, openChannel } from './channel.ts';
import {
  type FromApp,
  type FromDev,
  LINK_PROTOCOL,
  type LinkAnswer,
  type LinkEvent,
  type LinkHandle,
  type LinkVerb,
} from './messages.ts';
import { parseFromApp } from './parse.ts';
import { sweepSockets } from './sweep.ts';

/** Longest path of a socket, in bytes: `sun_path` has 108, the last of which is 0. */
const SOCKET_PATH_MAX = 107;
const SOCKET_NAME = 's';
const FOLDER_PREFIX = 'napi-reload-dev-';

/** A thread of the app. */
export interface LinkPeer {
  readonly pid: number;
  /** 0 for the main thread. */
  readonly threadId: number;
  readonly argv: readonly string[];
  /** By their numbers, as they were told of last. */
  readonly handles: ReadonlyMap<number, LinkHandle>;
  /**
   * Resolves when the thread has done it, however that went; to null when it ended before.
   *
   * @param addon absolute path; of no use to `versions`
   */
  ask(verb: LinkVerb, addon?: string): Promise<LinkAnswer | null>;
}

/** None of these may throw. */
export interface LinkListener {
  connected(peer: LinkPeer): void;
  disconnected(peer: LinkPeer): void;
  opened(peer: LinkPeer, handle: LinkHandle): void;
  /** `handle` is what it was before the event. */
  event(peer: LinkPeer, handle: LinkHandle, event: LinkEvent): void;
  invalidated(peer: LinkPeer, message: string): void;
  /** Somebody who speaks something else, or not as agreed, was sent away. */
  trouble(message: string): void;
}

export interface LinkServer {
  /** Path of the socket. */
  readonly path: string;
  /** Ends all links and removes the socket with its folder. Synchronous and safe to call twice: `exit` listeners call it. */
  close(): void;
}

/**
 * Listens in a folder that this user alone can enter.
 *
 * @throws `ERR_INVALID_OPTION` when no temporary folder can be written to, or the paths of all are too long for a socket
 */
export async function startLinkServer(listener: LinkListener): Promise<LinkServer> {
  const folder = makeFolder();
  const socketPath = path.join(folder, SOCKET_NAME);
  const channels = new Set<Channel<FromDev>>();
  const server = net.createServer((socket) => {
    const peer = new Peer(listener);
    const channel = openChannel<FromApp, FromDev>(socket, parseFromApp, {
      onMessage: (message) => peer.take(message),
      onEnd(trouble) {
        channels.delete(channel);
        peer.end(trouble);
      },
    });
    peer.channel = channel;
    channels.add(channel);
  });
  const close = (): void => {
    server.close();
    for (const channel of channels) channel.close();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    close();
    throw error;
  }
  // Such as EMFILE for somebody who connects: those that are connected stay so.
  server.on('error', (error) =>
    listener.trouble(`A thread of the app could not connect: ${describe(error)}`),
  );
  await sweepSockets(path.join(path.dirname(folder), FOLDER_PREFIX), SOCKET_NAME);
  return { path: socketPath, close };
}

/** What `mkdtemp` adds to a name. */
const RANDOM_LETTERS = 6;

function makeFolder(): string {
  const failures: string[] = [];
  for (const base of new Set([process.env['XDG_RUNTIME_DIR'], os.tmpdir(), '/tmp'])) {
    if (!base || !path.isAbsolute(base)) continue;
    const prefix = path.join(base, FOLDER_PREFIX);
    if (Buffer.byteLength(`${prefix}/${SOCKET_NAME}`) + RANDOM_LETTERS > SOCKET_PATH_MAX) {
      failures.push(`${JSON.stringify(base)} is too long for the path of a socket`);
      continue;
    }
    try {
      // Made with mode 0700.
      return fs.mkdtempSync(prefix);
    } catch (error) {
      failures.push(describe(error));
    }
  }
  throw errors.invalidOption({
    option: 'TMPDIR',
    found: `no place for a socket: ${failures.join('; ')}`,
    wanted: 'a folder that can be written to, with a short path',
  });
}

class Peer implements LinkPeer {
  readonly #listener: LinkListener;
  readonly #handles = new Map<number, LinkHandle>();
  readonly #asked = new Map<number, (answer: LinkAnswer | null) => void>();
  #hello: Extract<FromApp, { type: 'hello' }> | null = null;
  #lastId = 0;
  #ended = false;
  channel: Channel<FromDev> | null = null;

  constructor(listener: LinkListener) {
    this.#listener = listener;
  }

  get pid(): number {
    return this.#hello?.pid ?? 0;
  }

  get threadId(): number {
    return this.#hello?.threadId ?? 0;
  }

  get argv(): readonly string[] {
    return this.#hello?.argv ?? [];
  }

  get handles(): ReadonlyMap<number, LinkHandle> {
    return this.#handles;
  }

  ask(verb: LinkVerb, addon = ''): Promise<LinkAnswer | null> {
    if (this.#ended) return Promise.resolve(null);
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.channel?.send(verb === 'versions' ? { type: verb, id } : { type: verb, id, addon });
    });
  }

  take(message: FromApp): void {
    if (this.#hello === null && message.type !== 'hello') {
      this.#refuse(`it said "${message.type}" before "hello"`);
      return;
    }
    switch (message.type) {
      case 'hello':
        this.#greet(message);
        return;
      case 'opened': {
        const { type: _, ...handle } = message;
        this.#handles.set(handle.handle, handle);
        this.#listener.opened(this, handle);
        return;
      }
      case 'event': {
        const handle = this.#handles.get(message.handle);
        if (handle === undefined) return;
        const { event } = message;
        if (event.name === 'reloaded') this.#handles.set(message.handle, { ...handle, serving: event.to });
        if (event.name === 'closed') this.#handles.delete(message.handle);
        this.#listener.event(this, handle, event);
        return;
      }
      case 'reply': {
        for (const handle of message.handles) {
          if (this.#handles.has(handle.handle)) this.#handles.set(handle.handle, handle);
        }
        const { id, failure, handles } = message;
        this.#asked.get(id)?.({ failure, handles });
        this.#asked.delete(id);
        return;
      }
      case 'invalidate':
        this.#listener.invalidated(this, message.message);
    }
  }

  end(trouble: string | null): void {
    this.#ended = true;
    for (const resolve of this.#asked.values()) resolve(null);
    this.#asked.clear();
    if (trouble !== null) this.#listener.trouble(`The link to ${this.#title} was ended: ${trouble}`);
    if (this.#hello !== null) this.#listener.disconnected(this);
  }

  #greet(hello: Extract<FromApp, { type: 'hello' }>): void {
    if (hello.protocol !== LINK_PROTOCOL) {
      this.#refuse(
        `it speaks version ${hello.protocol} of the link, this is version ${LINK_PROTOCOL}: run the napi-reload that the app has`,
      );
    } else if (this.#hello !== null) this.#refuse('it said "hello" twice');
    else {
      this.#hello = hello;
      this.#listener.connected(this);
    }
  }

  #refuse(why: string): void {
    this.#listener.trouble(`The link to ${this.#title} was ended: ${why}`);
    this.channel?.close();
  }

  get #title(): string {
    if (this.#hello === null) return 'a process that has not said which';
    return `process ${this.pid}${this.threadId === 0 ? '' : `, thread ${this.threadId}`}`;
  }
}
