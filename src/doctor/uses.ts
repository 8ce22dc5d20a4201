/** What an addon uses, told by the names that it imports. */

/** A way to use the system, Node-API or libuv. */
export interface Use {
  /** The pin that may come of it, as `addon.versions()` names it; null for none. */
  readonly pin: string | null;
  readonly imports: RegExp;
}

export type UseName =
  | 'wraps'
  | 'externals'
  | 'buffers'
  | 'sharedBuffers'
  | 'strings'
  | 'asyncWork'
  | 'uvWork'
  | 'asyncHooks'
  | 'threadsafeFunctions'
  | 'threads'
  | 'threadLocals'
  | 'signals'
  | 'uvHandles'
  | 'pthreadKeys';

/** In the order in which reasons are given. */
export const USES: Readonly<Record<UseName, Use>> = {
  wraps: { pin: 'wrapped-object', imports: /^napi_wrap$/ },
  externals: { pin: 'external', imports: /^napi_create_external$/ },
  buffers: { pin: 'external-buffer', imports: /^napi_create_external_(?:arraybuffer|buffer)$/ },
  sharedBuffers: { pin: 'shared-buffer', imports: /^node_api_create_external_sharedarraybuffer$/ },
  strings: { pin: 'external-string', imports: /^node_api_create_external_string_/ },
  asyncWork: { pin: 'async-work', imports: /^napi_create_async_work$/ },
  uvWork: { pin: 'uv-work', imports: /^uv_queue_work$/ },
  asyncHooks: { pin: 'async-cleanup-hook', imports: /^napi_add_async_cleanup_hook$/ },
  threadsafeFunctions: { pin: 'threadsafe-function', imports: /^napi_create_threadsafe_function$/ },
  threads: {
    pin: 'thread',
    imports: /^(?:pthread_create|uv_thread_create(?:_ex)?|_ZNSt6thread15_M_start_threadE\w*)$/,
  },
  threadLocals: { pin: 'thread-local', imports: /^__cxa_thread_atexit(?:_impl)?$/ },
  signals: {
    pin: 'signal-handler',
    imports: /^(?:sigaction|signal|bsd_signal|sysv_signal|__sysv_signal|sigset)$/,
  },
  uvHandles: {
    pin: 'uv-handle',
    imports:
      /^uv_(?:(?:async|check|fs_event|fs_poll|idle|pipe|poll|prepare|signal|tcp|timer|tty|udp)_init(?:_\w+)?|spawn)$/,
  },
  pthreadKeys: { pin: null, imports: /^pthread_key_create$/ },
};

/** @returns names among the imports that mean this use; empty when there are none */
export function namesOf(use: Use, imports: readonly string[]): readonly string[] {
  return imports.filter((name) => use.imports.test(name));
}

const SHOWN_MAX = 4;

/** A list for a sentence: the first few, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.map((name) =>
    name.startsWith('_ZNSt6thread15_M_start_thread') ? 'std::thread' : name,
  );
  const more = shown.length - SHOWN_MAX;
  return more > 1 ? `${shown.slice(0, SHOWN_MAX).join(', ')} and ${more} more` : shown.join(', ');
}
