/** The two ends of the line between a handle and a host. */

/** One end, whichever way the messages go. */
export interface Port<Out, In> {
  /** @throws a DataCloneError for what cannot be cloned; nothing is sent then */
  post(message: Out): void;
  onMessage(listener: (message: In) => void): void;
}
