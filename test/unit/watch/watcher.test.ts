import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Outside, realOutside } from '../../../src/outside.ts';
import { LOOKS_MAX, REST_FIRST_MS } from '../../../src/watch/unseen.ts';
import { READY_MAX_MS, startWatcher, type Watcher } from '../../../src/watch/watcher.ts';
import { compiledUrl } from '../../support/compiled.ts';

const exec = promisify(execFile);
let root: string;
let open: Watcher[];

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-reload-watch-'));
  fs.mkdirSync(path.join(root, 'native/src'), { recursive: true });
  for (const name of ['package.json', 'native/src/a.c', 'native/src/b.c']) write(name, 'first');
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((watcher) => watcher.close()));
  fs.rmSync(root, { recursive: true, force: true });
});

const at = (name: string) => path.join(root, name);
const write = (name: string, text: string) => fs.writeFileSync(at(name), text);

interface Watched extends Watcher {
  /** The next list of changes, relative to the root. */
  next(): Promise<readonly string[]>;
  readonly warnings: readonly string[];
}

async function watch(
  names: readonly string[],
  debounceMs = 20,
  ignore: readonly (string | RegExp)[] = [],
  outside: Outside = realOutside,
): Promise<Watched> {
  const told: (readonly string[])[] = [];
  const warnings: string[] = [];
  let wake = (): void => {};
  const request = {
    files: names.map(at),
    ignore,
    debounceMs,
    persistent: true,
    onChange: (changed: readonly string[]) => {
      told.push(changed.map((file) => path.relative(root, file)));
      wake();
    },
    onWarning: (message: string) => warnings.push(message),
  };
  const watcher = await startWatcher(request, outside);
  open.push(watcher);
  const next = async () => {
    while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return told.shift() ?? [];
  };
  return {
    next,
    warnings,
    setFiles: (files) => watcher.setFiles(files.map(at)),
    close: () => watcher.close(),
  };
}

const A = 'native/src/a.c';
const B = 'native/src/b.c';

const edits: Record<string, () => void> = {
  'is written in place': () => write(A, 'second'),
  'is touched': () => fs.utimesSync(at(A), new Date(), new Date()),
  'is replaced by rename': () => {
    write('native/src/.a.c.tmp', 'second');
    fs.renameSync(at('native/src/.a.c.tmp'), at(A));
  },
  'is deleted and made again': () => {
    fs.rmSync(at(A));
    write(A, 'second');
  },
  'is deleted and made again with its folder': () => {
    fs.rmSync(at('native/src'), { recursive: true });
    fs.mkdirSync(at('native/src'));
    write(A, 'second');
  },
  'is deleted and made again with the folder above': () => {
    fs.rmSync(at('native'), { recursive: true });
    fs.mkdirSync(at('native/src'), { recursive: true });
    write(A, 'second');
  },
  'is deleted and made again with the whole project': () => {
    fs.rmSync(root, { recursive: true });
    fs.mkdirSync(at('native/src'), { recursive: true });
    write('package.json', '{}');
    write(A, 'second');
  },
  'comes with a folder that is moved over its own': () => {
    fs.mkdirSync(at('other'));
    write('other/a.c', 'second');
    fs.renameSync(at('native/src'), at('native/old'));
    fs.renameSync(at('other'), at('native/src'));
  },
};

test.each(Object.entries(edits))('a wanted file is told, twice in a row, when it %s', async (_, edit) => {
  const watched = await watch([A]);
  edit();
  expect(await watched.next()).toEqual([A]);
  write(A, 'again, as a plain write');
  expect(await watched.next()).toEqual([A]);
  fs.rmSync(at('native/old'), { recursive: true, force: true });
  edit();
  expect(await watched.next()).toEqual([A]);
});

test('two watchers both see a folder that is made again at once', async () => {
  const both = [await watch([A]), await watch([A])];
  for (const text of ['second', 'the third']) {
    fs.rmSync(at('native/src'), { recursive: true });
    fs.mkdirSync(at('native/src'));
    write(A, text);
    for (const watched of both) expect(await watched.next()).toEqual([A]);
  }
});

test('a wanted file that never existed is told when it and its folder are made', async () => {
  const watched = await watch(['native/new/deep/c.c']);
  fs.mkdirSync(at('native/new/deep'), { recursive: true });
  write('native/new/deep/c.c', 'first');
  expect(await watched.next()).toEqual(['native/new/deep/c.c']);
});

test('a file without a project above it is told after its folder was made again', async () => {
  fs.rmSync(at('package.json'));
  const watched = await watch([A]);
  edits['is deleted and made again with its folder']?.();
  expect(await watched.next()).toEqual([A]);
});

test('a burst becomes one sorted list without repetitions', async () => {
  const watched = await watch([B, A], 100);
  for (const text of ['1', '22', '333']) for (const name of [B, A]) write(name, text);
  expect(await watched.next()).toEqual([A, B]);
});

test('writing that never stops does not postpone the call for ever', async () => {
  const watched = await watch([A], 200);
  let told = false;
  const next = watched.next().then(() => {
    told = true;
  });
  while (!told) {
    fs.appendFileSync(at(A), 'x');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await next;
});

test('a write right after another is told when the first is told already', async () => {
  const watched = await watch([A], 0);
  for (let round = 0; round < 20; round += 1) {
    write(A, 'x'.repeat(round));
    expect(await watched.next()).toEqual([A]);
  }
});

test('a deletion alone and a file that is not wanted are not told', async () => {
  const watched = await watch([A, B]);
  fs.rmSync(at(A));
  write('native/src/other.c', 'not wanted');
  write(B, 'second');
  expect(await watched.next()).toEqual([B]);
});

test('a wanted folder stands for the files below it, without what is ignored', async () => {
  const watched = await watch(['native'], 50, [at('native/src/b.c'), /\.log$/]);
  fs.mkdirSync(at('native/more'));
  for (const name of [B, 'native/x.log', 'native/.a.swp', 'native/more/d.c', 'native/e.c'])
    write(name, 'second');
  expect(await watched.next()).toEqual(['native/e.c', 'native/more/d.c']);
  fs.rmSync(at('native/more'), { recursive: true });
  fs.mkdirSync(at('native/more'));
  write('native/more/d.c', 'another');
  expect(await watched.next()).toEqual(['native/more/d.c']);
});

test('setFiles watches the new list, and keeps a change made while it does so', async () => {
  const watched = await watch([A]);
  const set = watched.setFiles([A, B]);
  write(A, 'second');
  await set;
  expect(await watched.next()).toEqual([A]);
  write(B, 'second');
  expect(await watched.next()).toEqual([B]);
  await watched.setFiles([B]);
  write(A, 'third');
  write(B, 'third');
  expect(await watched.next()).toEqual([B]);
});

test('nothing is told after close, and the process can end', async () => {
  const script = `
    import fs from 'node:fs';
    const { startWatcher } = await import(process.argv[2]);
    const { realOutside } = await import(process.argv[3]);
    const file = process.argv[4];
    const say = (text) => process.stdout.write(text + ' ');
    const request = { files: [file], ignore: [], debounceMs: 0, persistent: true, onChange: () => say('late'), onWarning: say };
    const watcher = await startWatcher(request, realOutside);
    fs.writeFileSync(file, 'second');
    await watcher.close();
    await watcher.close();
    await watcher.setFiles([]);
    process.on('exit', () => say('ended'));
  `;
  write('child.mjs', script);
  const urls = [compiledUrl('watch/watcher.js'), compiledUrl('outside.js')];
  const { stdout } = await exec(process.execPath, [at('child.mjs'), ...urls, at(A)]);
  expect(stdout).toBe('ended ');
});

test('close ends a watch that is just being set up', async () => {
  let close = (): void => {};
  const outside: Outside = {
    ...realOutside,
    // Without it a wait that nothing ends is one that never ends.
    after: (delayMs, callback) => realOutside.after(delayMs, delayMs === READY_MAX_MS ? () => {} : callback),
    watch(paths, options) {
      queueMicrotask(() => close());
      return realOutside.watch(paths, options);
    },
  };
  const request = {
    files: [at(A)],
    ignore: [],
    debounceMs: 0,
    persistent: true,
    onChange: () => {},
    onWarning: () => {},
  };
  const watcher = await startWatcher(request, outside);
  const closed = new Promise<void>((resolve) => {
    close = () => watcher.close().then(resolve);
  });
  await watcher.setFiles([at(B)]);
  await closed;
});

/** A user namespace of its own has limits of its own. */
const unshared = (limit: string, count: number, rest: readonly string[]) => [
  '-Ur',
  'sh',
  '-c',
  `echo ${count} > /proc/sys/user/${limit} && exec "$@"`,
  'sh',
  ...rest,
];
const refused = spawnSync('unshare', unshared('max_inotify_watches', 5, ['true'])).status !== 0;

const exhausted = [
  ['watches', 'max_inotify_watches', 5, 'ENOSPC', 'max_user_watches'],
  ['instances', 'max_inotify_instances', 0, 'EMFILE', 'max_user_instances'],
] as const;

test.skipIf(refused).each(exhausted)(
  `a system without %s left makes it look at the files instead, and say so once${refused ? ' (no user namespaces here)' : ''}`,
  async (_, limit, count, code, advice) => {
    const script = `
    import fs from 'node:fs';
    const { startWatcher } = await import(process.argv[2]);
    const { realOutside } = await import(process.argv[3]);
    const files = process.argv.slice(4);
    const warnings = [];
    let tell;
    const next = () => new Promise((resolve) => (tell = resolve));
    const onWarning = (message, cause) => warnings.push([message, cause.code]);
    const request = { files, ignore: [], debounceMs: 10, persistent: true, onChange: (changed) => tell(changed), onWarning };
    const watcher = await startWatcher(request, realOutside);
    const told = [];
    for (const edit of [
      () => fs.writeFileSync(files[0], 'second'),
      () => fs.writeFileSync(files[1], 'also second'),
      () => {
        fs.writeFileSync(files[0] + '.tmp', 'third');
        fs.renameSync(files[0] + '.tmp', files[0]);
      },
    ]) {
      const changed = next();
      edit();
      told.push(await changed);
    }
    await watcher.close();
    console.log(JSON.stringify({ warnings, told }));
  `;
    write('child.mjs', script);
    const urls = [compiledUrl('watch/watcher.js'), compiledUrl('outside.js')];
    const names = ['0', '1', '2', '3', '4', '5', '6', '7'].map((name) => `native/src/${name}.c`);
    for (const name of names) write(name, 'first');
    const command = [process.execPath, at('child.mjs'), ...urls, ...names.map(at)];
    const { stdout } = await exec('unshare', unshared(limit, count, command));
    const { warnings, told } = JSON.parse(stdout) as { warnings: unknown[]; told: unknown[] };
    expect(warnings).toEqual([[expect.stringContaining(advice), code]]);
    expect(told).toEqual([[at('native/src/0.c')], [at('native/src/1.c')], [at('native/src/0.c')]]);
  },
);

test.skipIf(refused)(
  `an edit before the first poll of a file is told, once${refused ? ' (no user namespaces here)' : ''}`,
  async () => {
    const script = `
    import { pbkdf2 } from 'node:crypto';
    import fs from 'node:fs';
    const { startWatcher } = await import(process.argv[2]);
    const { realOutside } = await import(process.argv[3]);
    const files = process.argv.slice(4);
    const told = [];
    let tell;
    const tellsOf = (count) => new Promise((resolve) => (tell = () => told.length === count && resolve()));
    const outside = {
      ...realOutside,
      watch(paths, options) {
        const chokidar = realOutside.watch(paths, options);
        // The pool has one thread: polls of the files after the first wait for this.
        chokidar.once('add', () => pbkdf2('', '', 500_000, 64, 'sha512', () => {}));
        return chokidar;
      },
    };
    const onChange = (changed) => {
      told.push(changed);
      tell();
    };
    const request = { files, ignore: [], debounceMs: 10, persistent: true, onChange, onWarning: () => {} };
    const watcher = await startWatcher(request, outside);
    fs.writeFileSync(files[7], 'second');
    await tellsOf(1);
    fs.writeFileSync(files[6], 'second');
    await tellsOf(2);
    await watcher.close();
    console.log(JSON.stringify(told));
  `;
    write('child.mjs', script);
    const urls = [compiledUrl('watch/watcher.js'), compiledUrl('outside.js')];
    const names = ['0', '1', '2', '3', '4', '5', '6', '7'].map((name) => `native/src/${name}.c`);
    for (const name of names) write(name, 'first');
    const command = [process.execPath, at('child.mjs'), ...urls, ...names.map(at)];
    const { stdout } = await exec('unshare', unshared('max_inotify_watches', 5, command), {
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
    });
    expect(JSON.parse(stdout)).toEqual([[at('native/src/7.c')], [at('native/src/6.c')]]);
  },
);

test('a file is told of where the watch is asked to look at it instead of being told', async () => {
  const polled: unknown[] = [];
  const outside: Outside = Object.assign(Object.create(realOutside), {
    watch: (...[paths, options]: Parameters<Outside['watch']>) => {
      polled.push(options.usePolling && options.interval);
      return realOutside.watch(paths, options);
    },
  });
  const changed = await new Promise<readonly string[]>((resolve) => {
    const request = {
      files: [at(A)],
      ignore: [],
      debounceMs: 5,
      persistent: true,
      onChange: resolve,
      onWarning: () => {},
    };
    void startWatcher({ ...request, pollMs: 30 }, outside).then((watcher) => {
      open.push(watcher);
      write(A, 'another length');
    });
  });
  expect([changed, polled]).toEqual([[at(A)], [30]]);
});

/** As the real one, but that looks at the file fail with `code`, so often once it has changed. */
function blindTo(file: string, code: string, times: number): Outside & { strike(): void; left(): number } {
  let left = 0;
  return {
    ...realOutside,
    strike() {
      left = times;
    },
    left: () => left,
    stat(name) {
      if (name !== file || left === 0) return realOutside.stat(name);
      left -= 1;
      return Promise.reject(Object.assign(new Error(code), { code }));
    },
  };
}

const replace = (name: string, text: string): void => {
  write(`${name}.new`, text);
  fs.renameSync(at(`${name}.new`), at(name));
};

test.each(['EMFILE', 'ENFILE', 'ENOMEM', 'EIO', 'EACCES'])(
  'a file that is replaced and cannot be looked at for once (%s) is told',
  async (code) => {
    const outside = blindTo(at(A), code, 1);
    const watcher = await watch([A, B], 0, [], outside);
    outside.strike();
    replace(A, 'second');
    expect(await watcher.next()).toEqual([A]);
    expect(outside.left()).toBe(0);
    expect(watcher.warnings).toEqual([]);
  },
);

test('a file that cannot be looked at counts as changed in the end, with a warning', async () => {
  const outside = blindTo(at(A), 'EMFILE', LOOKS_MAX);
  const quick: Outside = {
    ...outside,
    after: (delayMs, then) => outside.after(delayMs < READY_MAX_MS ? 0 : delayMs, then),
  };
  const watcher = await watch([A, B], 0, [], quick);
  outside.strike();
  replace(A, 'second');
  expect(await watcher.next()).toEqual([A]);
  expect(outside.left()).toBe(0);
  expect(watcher.warnings).toEqual([expect.stringContaining('(EMFILE): it counts as changed')]);
});

test('a watch that waits for another look at a file ends with close', async () => {
  const outside = blindTo(at(A), 'EMFILE', Number.POSITIVE_INFINITY);
  const timers = new Set<() => void>();
  let looked = (): void => {};
  const waits = new Promise<void>((resolve) => {
    looked = resolve;
  });
  const tracked: Outside = {
    ...outside,
    after(delayMs, then) {
      const cancel = outside.after(delayMs, () => {
        timers.delete(end);
        then();
      });
      const end = () => {
        timers.delete(end);
        cancel();
      };
      timers.add(end);
      // Of the third look, which the first two have led to.
      if (delayMs === REST_FIRST_MS * 4) looked();
      return end;
    },
  };
  const watcher = await watch([A, B], 0, [], tracked);
  outside.strike();
  replace(A, 'second');
  await waits;
  await watcher.close();
  expect(timers.size).toBe(0);
});

test('a folder that cannot be looked at for once while a watch begins is watched with all in it', async () => {
  const outside = blindTo(at('native/src'), 'EMFILE', 1);
  outside.strike();
  const watcher = await watch(['native/src'], 0, [], outside);
  expect(outside.left()).toBe(0);
  write(A, 'second');
  expect(await watcher.next()).toEqual([A]);
});
