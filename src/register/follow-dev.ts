/** Has the handles of this thread reload when `napi-reload dev` says so, and tells it of them. */
import { onInvalidated, onOpened, openHandles } from '../handles.ts';
import { connectLink } from '../link/client.ts';

/** @param socket path of the one that `napi-reload dev` listens on */
export function followDev(socket: string): void {
  const link = connectLink({
    path: socket,
    handles: openHandles,
    onOpened,
    // From then on nobody can start the app again.
    onEnd: () => stop(),
  });
  const stop = onInvalidated((message) => link.invalidate(message ?? 'it gave no reason'));
}
