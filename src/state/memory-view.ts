/** Memory of a handle, seen by a version of it in another thread or process. */
import { errors } from '../errors.ts';
import type { Native } from '../native.ts';
import { type MemoryFile, type MemorySubject, unavailable } from './memory-block.ts';

/**
 * The bytes of a block, where that is not: what one side writes is what the other one reads, without a word between
 * them. The view stays good when the block is closed, or its process is killed. Each call makes a mapping of its own,
 * which goes with the last view.
 *
 * @param isPrivate whether nobody else is to see what is written there
 * @throws `ERR_MEMORY_UNAVAILABLE`
 */
export function openMemoryView(
  subject: MemorySubject,
  file: MemoryFile,
  native: Native,
  isPrivate = false,
): Uint8Array {
  const opened = native.memoryOpen(file.path, file.bytes, isPrivate);
  if (!opened.ok) throw unavailable(subject, file.bytes, opened);
  const found = { ...subject, wanted: file.bytes, operation: 'napi_create_external_arraybuffer' };
  let buffer: ArrayBuffer | null;
  try {
    buffer = native.memoryBuffer(opened.handle, file.bytes);
  } catch (cause) {
    throw errors.memoryUnavailable({ ...found, errno: 'ENOMEM' }, cause);
  } finally {
    // The buffer has the mapping.
    native.memoryClose(opened.handle);
  }
  if (buffer !== null) return new Uint8Array(buffer);
  throw errors.memoryUnavailable({ ...found, errno: 'EOPNOTSUPP' });
}
