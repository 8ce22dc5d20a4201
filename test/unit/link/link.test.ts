/** Both ends of the link: the server here, the client in real processes and threads. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MESSAGE_LENGTH_MAX } from '../../../src/link/channel.ts';
import type { LinkEvent, LinkHandle } from '../../../src/link/messages.ts';
import { type LinkPeer, type LinkServer, startLinkServer } from '../../../src/link/server.ts';
import { createScratch, FIXTURES, install, type Scratch, scriptedAddon } from '../../support/addons.ts';
import { compiledSource } from '../../support/compiled.ts';

type Told =
  | { readonly what: 'connected'; readonly peer: LinkPeer }
  | { readonly what: 'disconnected'; readonly peer: LinkPeer }
  | { readonly what: 'opened'; readonly peer: LinkPeer; readonly handle: LinkHandle }
  | { readonly what: 'event'; readonly peer: LinkPeer; readonly event: LinkEvent }
  | { readonly what: 'invalidated'; readonly message: string }
  | { readonly what: 'trouble'; readonly message: string };

let scratch: Scratch;
let server: LinkServer;
let told: Told[];
let wake: () => void;
let apps: ChildProcess[];

const addonOf = (value: number) => scriptedAddon(`exports.value = () => ${value};`);
const addon = () => scratch.file('built/addon.node');

beforeEach(async () => {
  scratch = createScratch();
  told = [];
  apps = [];
  wake = () => {};
  const tell = (what: Told): void => {
    told.push(what);
    wake();
  };
  server = await startLinkServer({
    connected: (peer) => tell({ what: 'connected', peer }),
    disconnected: (peer) => tell({ what: 'disconnected', peer }),
    opened: (peer, handle) => tell({ what: 'opened', peer, handle }),
    event: (peer, _, event) => tell({ what: 'event', peer, event }),
    invalidated: (_, message) => tell({ what: 'invalidated', message }),
    trouble: (message) => tell({ what: 'trouble', message }),
  });
  install(addonOf(1), addon());
});

afterEach(async () => {
  server.close();
  for (const app of apps.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    app.kill('SIGKILL');
    await once(app, 'exit');
  }
  scratch[Symbol.dispose]();
});

/** The next one of its kind that was not taken yet. */
async function next<W extends Told['what']>(what: W): Promise<Extract<Told, { what: W }>> {
  for (;;) {
    const index = told.findIndex((each) => each.what === what);
    if (index !== -1) return told.splice(index, 1)[0] as Extract<Told, { what: W }>;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

async function nextEvent(name: LinkEvent['name']): Promise<LinkEvent> {
  for (;;) {
    const { event } = await next('event');
    if (event.name === name) return event;
  }
}

function start(...words: string[]) {
  const app = spawn(
    process.execPath,
    [path.join(FIXTURES, 'link/app.mjs'), compiledSource(), addon(), ...words],
    {
      env: { ...process.env, NAPI_RELOAD_DEV: server.path, STAGE_DIR: scratch.file('stage') },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  apps.push(app);
  const lines = createInterface({ input: app.stdout })[Symbol.asyncIterator]();
  return {
    app,
    line: async () => (await lines.next()).value as string | undefined,
    say: (text: string) => app.stdin.write(`${text}\n`),
  };
}

test('a thread of the app tells of its handle, reloads it, goes back, and tells of its versions', async () => {
  const { app, say, line } = start('stay');
  const { peer } = await next('connected');
  expect([peer.pid, peer.threadId, peer.argv[3]]).toEqual([app.pid, 0, addon()]);
  const { handle } = await next('opened');
  expect(handle).toMatchObject({ addon: addon(), serving: 1, libraries: [] });
  expect(handle.versions).toMatchObject([{ id: 1, state: 'live', reason: null, pins: [] }]);

  install(addonOf(2), addon());
  const reloaded = await peer.ask('reload', addon());
  expect(reloaded).toMatchObject({ failure: null, handles: [{ serving: 2 }] });
  expect(await nextEvent('reloaded')).toMatchObject({ from: 1, to: 2, retired: { outcome: 'unloaded' } });
  expect(await peer.ask('reload', addon())).toMatchObject({ failure: null });
  expect(await nextEvent('unchanged')).toEqual({ name: 'unchanged', id: 2, reason: 'live' });
  say('say');
  expect(await line()).toBe('2');

  expect(await peer.ask('rollback', addon())).toMatchObject({ failure: null, handles: [{ serving: 3 }] });
  expect(await nextEvent('reloaded')).toMatchObject({ from: 2, to: 3, restored: 1 });
  await peer.ask('rollback', addon());
  expect(await nextEvent('failed')).toMatchObject({ failure: { code: 'ERR_NO_SUCH_VERSION' } });
  expect(peer.handles.get(handle.handle)?.serving).toBe(3);
  const versions = await peer.ask('versions');
  expect(versions?.handles).toMatchObject([{ serving: 3, versions: [{ id: 3, state: 'live' }] }]);
});

test('a refused version is told of with its code and number, and nobody else is asked', async () => {
  const { say, line } = start('stay');
  const { peer } = await next('connected');
  await next('opened');
  install(scriptedAddon("throw new Error('no');"), addon());
  expect(await peer.ask('reload', addon())).toMatchObject({ failure: null, handles: [{ serving: 1 }] });
  const failed = await nextEvent('failed');
  expect(failed).toMatchObject({ failure: { code: 'ERR_INIT_THREW', version: 2 } });
  expect(await peer.ask('reload', scratch.file('another.node'))).toEqual({ failure: null, handles: [] });
  say('say');
  expect(await line()).toBe('1');
});

test('a refusal that says more than a message holds is told of in part, and ends no link', async () => {
  start('stay');
  const { peer } = await next('connected');
  await next('opened');
  const text = `'no'.repeat(${MESSAGE_LENGTH_MAX})`;
  install(scriptedAddon(`throw new Error(${text});`), addon());
  expect(await peer.ask('reload', addon())).toMatchObject({ failure: null });
  const failed = await nextEvent('failed');
  expect(failed).toMatchObject({
    failure: { code: 'ERR_INIT_THREW', message: expect.stringMatching(/nono?…$/) },
  });
  install(addonOf(3), addon());
  expect(await peer.ask('reload', addon())).toMatchObject({ handles: [{ serving: 3 }] });
});

test('each thread of a process has a link of its own', async () => {
  start('stay', 'worker');
  const peers = [(await next('connected')).peer, (await next('connected')).peer];
  expect(peers[1]?.pid).toBe(peers[0]?.pid);
  expect(peers.map(({ threadId }) => threadId).sort()).toEqual([0, 1]);
});

test('a link keeps no app alive, and its end is told of', async () => {
  const { app } = start();
  const [code, signal] = await once(app, 'exit');
  expect([code, signal]).toEqual([0, null]);
  const { peer } = await next('disconnected');
  expect(peer.pid).toBe(app.pid);
  expect(await peer.ask('reload', addon())).toBeNull();
});

test('an app whose link is lost goes on serving, and ends by itself', async () => {
  const { app, say, line } = start('stay');
  await next('opened');
  server.close();
  expect(await line()).toBe('lost');
  say('say');
  expect(await line()).toBe('1');
  app.stdin.end();
  expect(await once(app, 'exit')).toEqual([0, null]);
});

test('an app that asks to be started again is heard, and a handle that is closed leaves the books', async () => {
  const { say } = start('stay');
  const { peer } = await next('opened');
  say('invalidate');
  expect((await next('invalidated')).message).toBe('a new config');
  say('close');
  await nextEvent('closed');
  expect(peer.handles.size).toBe(0);
});

test.each([
  [
    'no JSON',
    'hello\n',
    /^The link to a process that has not said which was ended: it sent what is no message/,
  ],
  ['no known message', '{"type":"bye"}\n', /"message.type" is not one of hello, opened/],
  ['no hello first', '{"type":"invalidate","message":""}\n', /it said "invalidate" before "hello"/],
  [
    'another version of the link',
    '{"type":"hello","protocol":99,"pid":1,"threadId":0,"argv":[]}\n',
    /speaks version 99 of the link/,
  ],
  [
    'something else twice',
    '{"type":"invalidate","message":""}\n{"type":"invalidate","message":""}\n',
    /it said "invalidate" before "hello"/,
  ],
  ['a line without end', 'x'.repeat(MESSAGE_LENGTH_MAX + 1), /a message of more than/],
])('who sends %s is sent away', async (_, sent, message) => {
  const socket = net.connect(server.path);
  socket.on('error', () => {});
  socket.write(sent);
  expect((await next('trouble')).message).toMatch(message);
  if (!socket.closed) await once(socket.resume(), 'close');
  expect(told).toEqual([]);
});

test('the socket is in a folder of this user alone, which goes with the server', () => {
  const folder = path.dirname(server.path);
  expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  server.close();
  expect(fs.existsSync(folder)).toBe(false);
});
