/** One message of a compiler or linker. */
export interface Diagnostic {
  /** Absolute path. */
  readonly file: string;
  /** Counted from 1; 0 where the tool gave none, as linkers do. */
  readonly line: number;
  /** Counted from 1; 0 where the tool gave none. */
  readonly column: number;
  /** As the tool gives it. */
  readonly severity: 'fatal error' | 'error' | 'warning' | 'note';
  /** The message alone, in the words of the tool. */
  readonly text: string;
}
