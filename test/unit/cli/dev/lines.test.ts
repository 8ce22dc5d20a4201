/** What people are told of what no test brings about by itself. */
import picocolors from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { DevEvent, Outcome } from '../../../../src/cli/dev/events.ts';
import { type LineStyle, linesOf } from '../../../../src/cli/dev/lines.ts';
import { type DevState, FIRST_STATE, nextState } from '../../../../src/cli/dev/state.ts';
import { statusOf } from '../../../../src/cli/dev/status.ts';

const ADDON = '/p/build/Release/kernel.node';
const START: DevEvent = {
  ...{ type: 'start', version: '1.0.0', pid: 1, command: ['app.js'] },
  projects: [{ id: '/p', root: '/p', builder: 'node-gyp', addons: [ADDON] }],
};
const OUTCOME: Outcome = {
  ...{ addon: ADDON, outcome: 'reloaded', serving: 3, from: 2, restored: null, state: 'carried' },
  retired: { id: 2, outcome: 'unloaded' },
  ...{ failedThreads: 0, threads: 1, processes: 1, phasesMs: { load: 0.5, swap: 0.04 }, failure: null },
  ...{ restartBecause: null, moved: 0, stayed: 0, kept: { count: 0, bytes: 0, because: [] } },
};
const STYLE: LineStyle = {
  ...{ colors: picocolors.createColors(false), cwd: '/p', columns: 100, rowsMax: 20 },
  ...{ isVerbose: false, hasKeys: true, restarts: false, hasStatus: false },
};

const reloaded = (outcome: Partial<Outcome>): DevEvent => ({
  ...{ type: 'reloaded', verb: 'reload', project: '/p', totalMs: 750 },
  outcomes: [{ ...OUTCOME, ...outcome }],
});
const stateAfter = (...events: readonly DevEvent[]): DevState =>
  [START, ...events].reduce(nextState, FIRST_STATE);

function told(event: DevEvent, style: Partial<LineStyle> = {}): readonly string[] {
  const timings = new Map([
    ['/p', { detect: 31, compile: 600.4, link: 80 }],
    ['/other', { compile: 9 }],
  ]);
  const context = { state: stateAfter(event), timings, style: { ...STYLE, ...style }, isNew: () => true };
  return linesOf(event, context).map((line) => line.replace('[napi-reload] ', ''));
}

describe('of a version that serves', () => {
  test('it is told where the time went, from the edit on, and of its own project alone', () => {
    expect(told(reloaded({}))).toEqual([
      'kernel v3 serves, v2 was unloaded',
      '  750 ms in all: detect 31, compile 600, link 80, load 0.50, swap 0.04',
    ]);
  });

  test('it is told in how many threads, whose bytes, and what stays in memory and why', () => {
    const kept = { count: 2, bytes: 1_234_567, because: ['pinned: thread ×1', 'kept: by request'] };
    const retired = { id: 2, outcome: 'pinned', pins: [{ kind: 'thread', count: 1, bytes: 0 }] } as const;
    expect(
      told(reloaded({ threads: 3, processes: 2, restored: 1, stayed: 1, state: 'discarded', kept, retired })),
    ).toEqual([
      'kernel v3 serves in 3 threads of 2 processes, the bytes of v1 again, v2 is pinned',
      expect.stringMatching(/^ {2}750 ms in all/),
      '  its state was discarded',
      '  1 instance of before run old code as long as they live',
      '  2 replaced versions in memory, 1.2 MB: pinned: thread ×1; kept: by request',
    ]);
  });

  test('it is told why a restart would help, and how to have one', () => {
    const restartBecause = 'it cannot be unloaded';
    const last = (style?: Partial<LineStyle>) => told(reloaded({ restartBecause }), style).at(-1);
    expect(last()).toBe('  a restart of the app would help, as it cannot be unloaded: press u');
    expect(last({ hasKeys: false })).toMatch(/: restart the app, or give --fallback restart$/);
  });
});

test('of a refusal in some threads it is told in how many', () => {
  const failure = { code: 'ERR_BUSY', message: 'Cannot reload', version: null };
  const event = reloaded({ outcome: 'failed', failure, threads: 3, failedThreads: 1 });
  expect(told(event)).toEqual(['kernel: Cannot reload (in 1 of 3 threads)']);
  expect(statusOf(stateAfter(event), 100)).toEqual({
    text: 'serving v3, a newer version failed: Cannot reload · waiting for a change · h for help',
    mood: 'bad',
  });
});

test('of several addons only those that have changed are told of', () => {
  const both: DevEvent = {
    ...{ type: 'reloaded', verb: 'reload', project: '/p', totalMs: 1 },
    outcomes: [OUTCOME, { ...OUTCOME, addon: '/p/other.node', outcome: 'unchanged' }],
  };
  expect(told(both).filter((line) => line.startsWith('other'))).toEqual([]);
  expect(told(both, { isVerbose: true })).toContain('other is unchanged, v3 serves');
});

test.each<[DevEvent, string | RegExp]>([
  [{ type: 'app-failed', message: 'spawn EAGAIN' }, 'the app could not be started: spawn EAGAIN'],
  [{ type: 'waiting', pid: 7, threadId: 2 }, /^process 7, thread 2 does not come to a turn/],
  [
    {
      type: 'addon',
      pid: 7,
      threadId: 0,
      addon: ADDON,
      handle: 1,
      asked: false,
      event: { name: 'kept', id: 2, reason: 'by request' },
    },
    'kernel v2 stays in memory: by request',
  ],
  [
    {
      type: 'addon',
      pid: 7,
      threadId: 0,
      addon: ADDON,
      handle: 1,
      asked: false,
      event: { name: 'crashed', id: 2, message: 'gone' },
    },
    'kernel v2: gone',
  ],
  [
    { type: 'project', id: '/q', root: '/q', builder: 'make', addons: ['/q/a.node'] },
    /^the app has opened a: built/,
  ],
  [{ type: 'versions', threads: [] }, 'the app runs no addon'],
])('%j is told of', (event, line) => {
  const [first = '', ...others] = told(event);
  if (typeof line === 'string') expect(first).toBe(line);
  else expect(first).toMatch(line);
  expect(others).toEqual([]);
});

describe('the status', () => {
  test('counts steps where the builder does', () => {
    const progress = { type: 'progress', project: '/p', step: 'CXX kernel', done: 4, total: 9 } as const;
    const building = { type: 'building', project: '/p', reason: 'change', clean: false } as const;
    expect(statusOf(stateAfter(building), 80)).toEqual({ text: 'building kernel', mood: 'busy' });
    expect(statusOf(stateAfter(building, progress), 80).text).toBe('building kernel [4/9] CXX kernel');
    expect(statusOf(stateAfter(building, { ...progress, done: null, total: null }), 80).text).toBe(
      'building kernel CXX kernel',
    );
  });

  test('says who is waited for', () => {
    const reloading = { type: 'reloading', verb: 'reload', addons: [ADDON] } as const;
    expect(statusOf(stateAfter(reloading), 80).text).toBe('reloading kernel');
    expect(statusOf(stateAfter(reloading, { type: 'waiting', pid: 7, threadId: 0 }), 80).text).toBe(
      'reloading kernel, waiting for process 7',
    );
  });
});
