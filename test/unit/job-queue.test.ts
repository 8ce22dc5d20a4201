import { describe, expect, test } from 'vitest';
import { errors } from '../../src/errors.ts';
import { JobQueue, type JobSignals } from '../../src/job-queue.ts';

interface Run {
  readonly request: string;
  readonly signals: JobSignals;
  finish(result: string): void;
  fail(error: unknown): void;
}

/** A queue whose jobs the test ends by hand; `next()` resolves when a job has begun. */
function manualQueue(merge = (older: string, newer: string): string | null => `${older}+${newer}`) {
  const begun: Run[] = [];
  let wake: () => void = () => undefined;
  const queue = new JobQueue<string, string>({
    about: { addon: 'a.node' },
    run: (request, signals) =>
      new Promise((finish, fail) => {
        begun.push({ request, signals, finish, fail });
        wake();
      }),
    merge,
  });
  const next = async (): Promise<Run> => {
    while (begun.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return begun.shift() as Run;
  };
  return { queue, next, begun };
}

const aborted = () => errors.aborted({ during: 'build' });

describe('JobQueue', () => {
  test('runs one job at a time and merges all that come meanwhile into one more', async () => {
    const { queue, next, begun } = manualQueue();
    const first = queue.push('a');
    const run = await next();
    const rest = [queue.push('b'), queue.push('c'), queue.push('d')];
    expect(begun).toEqual([]);
    run.finish('A');
    await expect(first).resolves.toBe('A');
    const merged = await next();
    expect(merged.request).toBe('b+c+d');
    merged.finish('BCD');
    await expect(Promise.all(rest)).resolves.toEqual(['BCD', 'BCD', 'BCD']);
  });

  test('goes on after a job that failed', async () => {
    const { queue, next } = manualQueue();
    const first = queue.push('a');
    const second = next().then((run) => {
      const later = queue.push('b');
      run.fail(new Error('no'));
      return later;
    });
    await expect(first).rejects.toThrow('no');
    (await next()).finish('B');
    await expect(second).resolves.toBe('B');
  });

  test('lets a newer change end the build in flight, whose job ends as the newer one', async () => {
    const { queue, next } = manualQueue();
    const first = queue.push('a');
    const run = await next();
    const newer = queue.supersede('b');
    expect(run.signals.build.aborted).toBe(true);
    expect(run.signals.all.aborted).toBe(false);
    run.fail(aborted());
    const joined = await next();
    expect(joined.request).toBe('a+b');
    joined.finish('AB');
    await expect(Promise.all([first, newer])).resolves.toEqual(['AB', 'AB']);
  });

  test('keeps a job that was past its build when the newer change came', async () => {
    const { queue, next } = manualQueue();
    const first = queue.push('a');
    const run = await next();
    const newer = queue.supersede('b');
    run.finish('A');
    (await next()).finish('B');
    await expect(Promise.all([first, newer])).resolves.toEqual(['A', 'B']);
  });

  describe('whose requests are not all of a kind', () => {
    /** Only what begins with the same letter can be one. */
    const alike = (older: string, newer: string) => (older[0] === newer[0] ? `${older}+${newer}` : null);

    test('runs them one after the other, and merges neighbours alone', async () => {
      const { queue, next } = manualQueue(alike);
      const first = queue.push('a');
      const run = await next();
      const rest = ['b1', 'b2', 'a1', 'b3'].map((request) => queue.push(request));
      run.finish('A');
      await first;
      const ran: string[] = [];
      for (let count = 0; count < 3; count += 1) {
        const { request, finish } = await next();
        ran.push(request);
        finish(request);
      }
      expect(ran).toEqual(['b1+b2', 'a1', 'b3']);
      expect(await Promise.all(rest)).toEqual(['b1+b2', 'b1+b2', 'a1', 'b3']);
    });

    test('does not end a build for what comes behind another thing', async () => {
      const { queue, next } = manualQueue(alike);
      const all = [queue.push('a')];
      const run = await next();
      all.push(queue.push('b'), queue.supersede('a1'));
      expect(run.signals.build.aborted).toBe(false);
      run.finish('A');
      (await next()).finish('B');
      (await next()).finish('A1');
      expect(await Promise.all(all)).toEqual(['A', 'B', 'A1']);
    });

    test('refuses a call with ERR_BUSY when too many wait, but no change of a file', async () => {
      const { queue, next } = manualQueue(() => null);
      const all = [queue.push('first')];
      const run = await next();
      for (let count = 0; count < 32; count += 1) all.push(queue.push(`${count}`));
      await expect(queue.push('one more')).rejects.toMatchObject({
        code: 'ERR_BUSY',
        details: { addon: 'a.node', reason: 'waiting', sharedWith: null },
      });
      all.push(queue.supersede('change'));
      run.finish('first');
      for (let count = 0; count < 33; count += 1) {
        const { request, finish } = await next();
        finish(request);
      }
      expect((await Promise.all(all)).at(-1)).toBe('change');
    });
  });

  test('refuses what waits and ends what runs when it closes', async () => {
    const { queue, next } = manualQueue();
    const first = queue.push('a');
    const run = await next();
    const waiting = queue.push('b');
    const closed = queue.close();
    expect(run.signals.all.aborted).toBe(true);
    expect(run.signals.build.aborted).toBe(true);
    run.fail(aborted());
    await closed;
    for (const refused of [first, waiting, queue.push('c')]) {
      await expect(refused).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    }
  });

  test('lets a job that is past all signals finish when it closes', async () => {
    const { queue, next } = manualQueue();
    const first = queue.push('a');
    const run = await next();
    const closed = queue.close();
    run.finish('A');
    await closed;
    await expect(first).resolves.toBe('A');
  });

  test('runs one job at a time when a job pushes while it starts', async () => {
    let running = 0;
    let most = 0;
    const queue: JobQueue<number, number> = new JobQueue<number, number>({
      about: { addon: 'a.node' },
      async run(request) {
        running += 1;
        most = Math.max(most, running);
        if (request < 5) void queue.push(request + 1);
        await null;
        running -= 1;
        return request;
      },
      merge: (_, newer) => newer,
    });
    await queue.push(1);
    await queue.push(9);
    expect(most).toBe(1);
  });
});
