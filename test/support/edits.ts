/** Edits of a configuration that is watched. */
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import { realOutside } from '../../src/outside.ts';
import { startWatcher } from '../../src/watch/watcher.ts';

/** Writes a file, and resolves when another watch has seen that, which waits longer than that of a configuration. */
export async function editSeen(file: string, text: string): Promise<void> {
  const told = new EventEmitter();
  const watcher = await startWatcher(
    {
      files: [file],
      ignore: [],
      debounceMs: 200,
      persistent: true,
      onChange: () => told.emit('seen'),
      onWarning: (_message, cause) => told.emit('error', cause),
    },
    realOutside,
  );
  const seen = once(told, 'seen');
  fs.writeFileSync(file, text);
  await seen;
  await watcher.close();
}
