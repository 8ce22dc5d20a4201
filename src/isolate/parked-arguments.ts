/** Arguments of a call that has to wait: as they are now, whatever becomes of them until it is sent. */
import { fromWire, type Taker, toWire } from './wire.ts';

/**
 * @param isShared whether bytes are to be seen as they are when the call is sent, as those of an array that both sides share
 * @returns what gives the arguments
 * @throws a DataCloneError
 */
export function parkArguments(
  args: readonly unknown[],
  isStandIn: (value: object) => boolean,
  isShared: (buffer: ArrayBuffer) => boolean,
): () => readonly unknown[] {
  const kept: object[] = [];
  const taker: Taker = {
    take(value) {
      const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
      const isKept =
        typeof value === 'function' ||
        isStandIn(value) ||
        (buffer instanceof ArrayBuffer && isShared(buffer)) ||
        buffer instanceof SharedArrayBuffer;
      return isKept ? { kind: 'your-function', id: kept.push(value) - 1 } : null;
    },
  };
  const { value, ...parts } = toWire(args, taker);
  const wire = { value: structuredClone(value), ...parts };
  return () =>
    fromWire(wire, { give: (special) => ('id' in special ? kept[special.id] : undefined) }) as unknown[];
}
