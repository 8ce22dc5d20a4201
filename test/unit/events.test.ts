import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Events } from '../../src/events.ts';

describe('Events', () => {
  test('calls listeners in order, once() listeners once, and none after off()', () => {
    const events = new Events();
    const seen: string[] = [];
    const gone = () => seen.push('gone');
    events.on('building', () => seen.push('on'));
    events.once('building', () => seen.push('once'));
    events.on('building', gone);
    events.off('building', gone);
    events.emit('building');
    events.emit('building');
    expect(seen).toEqual(['on', 'once', 'on']);
  });

  test('turns what a listener throws into a process warning and calls the others', async () => {
    const events = new Events();
    const seen: string[] = [];
    events.on('closed', () => {
      throw new Error('mine');
    });
    events.on('closed', () => seen.push('after'));
    const warned = once(process, 'warning');
    events.emit('closed');
    expect(seen).toEqual(['after']);
    const [warning] = await warned;
    expect(warning).toMatchObject({ code: 'NAPI_RELOAD_LISTENER', message: expect.stringContaining('mine') });
  });

  test('turns what an async listener rejects with into a process warning', async () => {
    const events = new Events();
    events.on('closed', async () => {
      throw new Error('later');
    });
    const warned = once(process, 'warning');
    events.emit('closed');
    expect((await warned)[0]).toMatchObject({ code: 'NAPI_RELOAD_LISTENER' });
  });

  test('tells the process of a warning that nobody listens to, once for each code', async () => {
    const events = new Events();
    const told: string[] = [];
    const note = (warning: Error): void => void told.push((warning as NodeJS.ErrnoException).code ?? '');
    process.on('warning', note);
    events.emit('warning', { code: 'watch', message: 'polling' });
    events.emit('warning', { code: 'watch', message: 'polling still' });
    events.on('warning', () => undefined);
    events.emit('warning', { code: 'version-budget', message: 'heard' });
    const last = once(process, 'warning');
    process.emitWarning('the last', { code: 'LAST' });
    await last;
    process.off('warning', note);
    expect(told).toEqual(['NAPI_RELOAD_WATCH', 'LAST']);
  });
});
