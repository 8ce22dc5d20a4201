export interface Difference {
  readonly what: string;
  readonly on: readonly [boolean, boolean, boolean, boolean];
  readonly upstream: string;
  readonly minds: string;
  isHere(): boolean;
}
export const LINES: readonly string[];
export const DIFFERENCES: Readonly<
  Record<
    | 'importOfAddons'
    | 'permission'
    | 'float16Array'
    | 'classesAreCollected'
    | 'setPrototype'
    | 'objectWithProperties'
    | 'externalSharedArrayBuffer',
    Difference
  >
>;
