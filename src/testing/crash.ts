/** Ends what runs a version, to see what comes of it. */
import type { Addon } from '../addon.ts';
import type { HostCrash } from '../events.ts';
import { invalid } from '../option-checks.ts';

/** What can come of a crash. A crash while it is started again is one of the same row. */
const ENDS = ['restarted', 'reloaded', 'gave-up'] as const;

/** Only for a diagnosis: a restart of Node.js and the hooks of the addon take less. */
const CRASH_WAIT_MS = 60_000;

/** @throws `ERR_INVALID_OPTION` when nothing but this process runs it, or what does is down already */
export async function awaitCrash(addon: Addon): Promise<HostCrash> {
  const { id } = addon.current;
  const over = listen(addon);
  try {
    switch (addon.crash()) {
      case 'inline': {
        const found = "'inline', where a crash ends the process of the test itself";
        return invalid('isolation', found, "'worker' or 'process' for crash()");
      }
      case 'down':
        return invalid('crash', `version ${id}, which is down already`, 'one that runs: await "restarted"');
      case 'crashed':
        return (
          (await over.settled) ??
          invalid('crash', 'no end of it: no restart, and no rollback', 'a handle that stays open')
        );
    }
  } finally {
    over.cancel();
  }
}

/** Settles with the first crash when its end is told, with null when the handle is closed or that takes too long. */
function listen(addon: Addon): { readonly settled: Promise<HostCrash | null>; cancel(): void } {
  let resolve = (_crash: HostCrash | null): void => undefined;
  const settled = new Promise<HostCrash | null>((settle) => {
    resolve = settle;
  });
  let crash: HostCrash | null = null;
  const onCrash = (told: HostCrash): void => {
    crash ??= told;
  };
  const onEnd = (): void => {
    if (crash !== null) resolve(crash);
  };
  const onClosed = (): void => resolve(null);
  // It also keeps the process alive, which an idle host does not.
  const timer = setTimeout(onClosed, CRASH_WAIT_MS);
  addon.on('crashed', onCrash).on('closed', onClosed);
  for (const event of ENDS) addon.on(event, onEnd);
  return {
    settled,
    cancel() {
      clearTimeout(timer);
      addon.off('crashed', onCrash).off('closed', onClosed);
      for (const event of ENDS) addon.off(event, onEnd);
    },
  };
}
