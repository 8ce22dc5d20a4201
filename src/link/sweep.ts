/** What a `napi-reload dev` leaves that was killed: the folder of its socket. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** Folders that one start looks at. */
const FOLDERS_MAX = 100;

/**
 * Removes the folders of sockets that nobody listens on any more. Never rejects.
 *
 * @param prefix of their paths
 * @param socketName what the socket in them is called
 */
export async function sweepSockets(prefix: string, socketName: string): Promise<void> {
  const base = path.dirname(prefix);
  const names = await fs.promises.readdir(base).catch(() => []);
  const ours = names.filter((name) => name.startsWith(path.basename(prefix))).slice(0, FOLDERS_MAX);
  await Promise.all(
    ours.map(async (name) => {
      const folder = path.join(base, name);
      if (!(await isAbandoned(path.join(folder, socketName)))) return;
      // That of another user cannot be removed, and need not be.
      await fs.promises.rm(folder, { recursive: true, force: true }).catch(() => {});
    }),
  );
}

/** Whether there is a socket and nobody behind it. One that is just being made is not there yet. */
function isAbandoned(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath);
    const end = (abandoned: boolean): void => {
      socket.destroy();
      resolve(abandoned);
    };
    socket.once('connect', () => end(false));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });
}
