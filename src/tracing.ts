/**
 * The tracing channel `napi-reload`, for tools that watch a process from beside it:
 * `diagnostics_channel.tracingChannel('napi-reload')` sees each open, reload and close with its outcome.
 *
 * https://nodejs.org/docs/latest-v20.x/api/diagnostics_channel.html#class-tracingchannel
 */
import { tracingChannel } from 'node:diagnostics_channel';

/** What subscribers are given; Node.js adds `result` and `error` when they are known. */
export interface TraceContext {
  /** What is done. */
  readonly operation: 'open' | 'reload' | 'close';
  /** Path of the addon; of the first one of a group. */
  readonly addon: string;
  /** Paths of all addons of a group, in the order in which they reload. */
  readonly group?: readonly string[];
  /** `thread`: another handle of the process led it, of an image that both run. */
  readonly trigger?: 'first' | 'call' | 'watch' | 'thread';
  /** The ReloadReport or GroupReport of a reload, the handle or group of an open. */
  readonly result?: unknown;
  /** What it was refused with. */
  readonly error?: unknown;
}

const channel = tracingChannel<unknown, TraceContext>('napi-reload');

export function trace<T>(context: TraceContext, work: () => Promise<T>): Promise<T> {
  // Publishing to nobody takes 10 µs.
  return channel.hasSubscribers ? channel.tracePromise(work, context) : work();
}

/** Whom an operation on one handle, or on several together, is about. */
export function subjectOf(
  all: readonly [{ readonly source: string }, ...{ readonly source: string }[]],
): Pick<TraceContext, 'addon' | 'group'> {
  const [{ source: addon }, ...others] = all;
  return others.length === 0 ? { addon } : { addon, group: all.map(({ source }) => source) };
}
