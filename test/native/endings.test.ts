/** How a process or a handle may end in the middle of a reload: nothing staged stays, and nothing crashes. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createScratch, type Scratch } from '../support/addons.ts';
import { type Ended, endOf, type Plan, startChild, traceAddon, traceOf } from './trace.ts';

let scratch: Scratch;
beforeEach(() => {
  scratch = createScratch();
});
afterEach(() => scratch[Symbol.dispose]());

const OPEN = ['v1 mapped', 'v1 module init', 'v1 prepare', 'v1 init 0', 'v1 save 0', 'opened'];
const PREPARING = ['v2 mapped', 'v2 module init', 'v2 prepare'];
const UNMAPPED = ['v1 unmapped', 'v2 unmapped'];
const CLEAN = 'staged 0 directories, copies: none';

const builds = (...macros: readonly string[]): Plan['builds'] => ({
  v1: traceAddon(1),
  v2: traceAddon(2, ...macros),
});
const staged = (): readonly string[] =>
  fs.readdirSync(scratch.file('stage')).filter((name) => name !== '.lock');

describe('a process that ends while a hook is pending', () => {
  /** Runs `how` in the first turn of the event loop after `prepare` was called. */
  const ending = (how: string): string => `
    install('v1');
    const addon = await openAddon();
    install('v2');
    addon.on('progress', ({ phase }) => {
      if (phase === 'prepare') setImmediate(() => { sayStaged(); ${how} });
    });
    await reload(addon);
    say('never comes here');
  `;
  const plan = (): Plan => ({ builds: builds('PREPARE=NEVER_SETTLES') });
  const before = [...OPEN, ...PREPARING, 'staged 1 directories, copies: 1 2'];

  test.each([0, 3])('by process.exit(%i) leaves nothing staged', async (exitCode) => {
    expect(await traceOf(scratch, ending(`process.exit(${exitCode});`), plan())).toEqual({
      trace: [...before, ...UNMAPPED],
      errors: '',
      exitCode,
      signal: null,
    });
    expect(staged()).toEqual([]);
  });

  test('by an uncaught exception leaves nothing staged', async () => {
    const ended = await traceOf(scratch, ending(`throw new Error('mine');`), plan());
    expect(ended).toMatchObject({ trace: [...before, ...UNMAPPED], exitCode: 1, signal: null });
    expect(ended.errors).toContain('Error: mine');
    expect(staged()).toEqual([]);
  });

  test('by an unhandled rejection leaves nothing staged', async () => {
    const ended = await traceOf(scratch, ending(`Promise.reject(new Error('mine'));`), plan());
    expect(ended).toMatchObject({ trace: [...before, ...UNMAPPED], exitCode: 1, signal: null });
    expect(staged()).toEqual([]);
  });

  test('by SIGKILL leaves what the next open of another process sweeps', async () => {
    const child = startChild(scratch, ending(`process.kill(process.pid, 'SIGKILL');`), plan());
    expect(await endOf(child)).toEqual({ trace: before, errors: '', exitCode: null, signal: 'SIGKILL' });
    const [left] = staged();
    expect(left).toMatch(new RegExp(`^kernel-${child.pid}-`));
    const next = `install('v1'); const addon = await openAddon(); sayStaged(); await close(addon);`;
    const swept = [...OPEN, 'staged 1 directories, copies: 1', 'v1 dispose', 'v1 unmapped', 'closed'];
    expect((await traceOf(scratch, next, plan())).trace).toEqual(swept);
    expect(staged()).toEqual([]);
  });
});

describe('a build that runs when its process ends', () => {
  test('ends with it', async () => {
    const script = `
      install('v1');
      make('exit 0');
      const addon = await openAddon();
      make('echo $$ > pid; mv pid built; exec sleep 1000');
      addon.on('building', () => {
        fs.watch(plan.folder, () => { if (fs.existsSync(plan.folder + '/built')) process.exit(); });
      });
      await reload(addon);
    `;
    const ended = await traceOf(scratch, script, { builds: builds(), options: { build: true } });
    expect(ended).toEqual({ trace: [...OPEN, 'v1 unmapped'], errors: '', exitCode: 0, signal: null });
    const pid = Number(fs.readFileSync(scratch.file('built'), 'utf8'));
    expect(await stateOf(pid)).toMatch(/^(?:gone|Z)$/);
  });
});

/** Waits until the process that was sent SIGKILL shows it; an orphan may stay as a zombie where process 1 reaps none. */
async function stateOf(pid: number): Promise<string> {
  for (;;) {
    let stat: string;
    try {
      stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      return 'gone';
    }
    const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
    if (state === 'Z') return state;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a handle that is closed in the middle of a reload', () => {
  const closing = (when: string): string => `
    install('v1');
    make('exit 0');
    let addon = null;
    let closed = null;
    const end = () => { closed ??= close(addon); };
    addon = await openAddon({ migrate: { 1: (state) => { if (plan.endsInMigrate) end(); return state; } } });
    install('v2');
    ${when}
    await reload(addon);
    await closed;
    sayStaged();
  `;
  const at = (phase: string): string =>
    `addon.on('progress', ({ phase }) => { if (phase === '${phase}') end(); });`;
  const run = (when: string, ...macros: readonly string[]): Promise<Ended> =>
    traceOf(scratch, closing(when), { builds: builds(...macros), options: { build: true } });
  const well = { errors: '', exitCode: 0, signal: null };
  /** The reload is over before the close ends the version that serves. */
  const refused = ['refused ERR_CLOSED', 'v1 dispose', 'v1 unmapped', 'closed', CLEAN];
  const GIVEN_UP = [...PREPARING, 'v2 dispose', 'v2 unmapped'];

  test.each(['build', 'stage'])('at %s ends it before anything of the new version runs', async (phase) => {
    expect(await run(at(phase))).toEqual({ trace: [...OPEN, ...refused], ...well });
  });

  test.each(['inspect', 'rebind', 'load', 'prepare'])('at %s ends both versions', async (phase) => {
    expect(await run(at(phase))).toEqual({ trace: [...OPEN, ...GIVEN_UP, ...refused], ...well });
  });

  test('while prepare is pending disposes of both versions and unloads them', async () => {
    const pending = [...GIVEN_UP, ...refused];
    expect(await run(at('prepare'), 'PREPARE=NEVER_SETTLES')).toEqual({
      trace: [...OPEN, ...pending],
      ...well,
    });
  });

  const SWITCHED = [...PREPARING, 'v1 save 0', 'v2 init 0', 'v2 save 0', 'v1 dispose', 'v1 unmapped'];
  const taken = ['reloaded carried', 'v2 dispose', 'v2 unmapped', 'closed', CLEAN];

  test('in the switch lets the switch end, and ends the new version too', async () => {
    const ended = await run('plan.endsInMigrate = true;', 'SCHEMA=2');
    expect(ended).toEqual({ trace: [...OPEN, ...SWITCHED, ...taken], ...well });
  });

  test('at retire lets the reload end, and ends the new version too', async () => {
    expect(await run(at('retire'))).toEqual({ trace: [...OPEN, ...SWITCHED, ...taken], ...well });
  });

  test.each(['prepare', 'retire'])('at %s with a watch ends the watch too', async (phase) => {
    const ended = await traceOf(scratch, closing(at(phase)), {
      builds: builds(),
      options: { watch: { debounceMs: 1_000 } },
    });
    const outcome = phase === 'prepare' ? [...GIVEN_UP, ...refused] : [...SWITCHED, ...taken];
    expect(ended).toEqual({ trace: [...OPEN, ...outcome], ...well });
  });
});
