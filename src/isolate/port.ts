/** The two ends of the line between a handle and a host. */

/** Whether it may be ours: code of the addon reaches the line too, and may say anything on it. */
export function isMessage(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** One end, whichever way the messages go. */
export interface Port<Out, In> {
  /** @throws a DataCloneError for what cannot be cloned; nothing is sent then */
  post(message: Out): void;
  onMessage(listener: (message: In) => void): void;
}
