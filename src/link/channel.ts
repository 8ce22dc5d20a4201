/** One end of a link: messages over a socket, a line each. */
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { describe } from '../errors.ts';
import { LinkSyntaxError } from './parse.ts';

/** Longest message, in UTF-16 units. A handle with hundreds of versions in memory comes to a tenth of it. */
export const MESSAGE_LENGTH_MAX: number = 2 ** 20;
/** Bytes that wait for the other end before the link is given up: it does not read any more. */
export const UNSENT_BYTES_MAX: number = 16 * 2 ** 20;

export interface Channel<Out> {
  /** Does nothing once the link has ended. */
  send(message: Out): void;
  /** Safe to call twice. */
  close(): void;
}

export interface ChannelListener<In> {
  onMessage(message: In): void;
  /** Called once. `trouble` says what the other end did wrong; null when it has just ended. */
  onEnd(trouble: string | null): void;
}

/**
 * Reads and writes `socket`, which is its own from now on.
 *
 * @param parse of a message; what throws a {@link LinkSyntaxError} ends the link
 */
export function openChannel<In, Out>(
  socket: Socket,
  parse: (value: unknown) => In,
  listener: ChannelListener<In>,
): Channel<Out> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let trouble: string | null = null;

  const giveUp = (why: string): void => {
    trouble ??= why;
    socket.destroy();
  };
  const read = (line: string): void => {
    let message: In;
    try {
      message = parse(JSON.parse(line));
    } catch (error) {
      if (!(error instanceof LinkSyntaxError || error instanceof SyntaxError)) throw error;
      giveUp(`it sent what is no message: ${describe(error)}`);
      return;
    }
    listener.onMessage(message);
  };
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (!socket.destroyed) read(line);
    if (rest.length > MESSAGE_LENGTH_MAX)
      giveUp(`it sent a message of more than ${MESSAGE_LENGTH_MAX} characters`);
  });
  // Such as a reset: the other end died, and 'close' follows.
  socket.on('error', () => {});
  socket.once('close', () => listener.onEnd(trouble));
  return {
    send(message) {
      if (!socket.writable) return;
      socket.write(`${JSON.stringify(message)}\n`);
      if (socket.writableLength > UNSENT_BYTES_MAX) giveUp('it does not read what it is sent');
    },
    close: () => void socket.destroySoon(),
  };
}
