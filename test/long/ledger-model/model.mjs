// Does operations to versions through the shim's ledger, and compares each with a plain model: which version a kept thing
// belongs to, what pins that version, what must work and what must throw.
//
// An operation is data, so that a list of them can be printed, cut and done again:
// `{ name, which, value }`, where `which` picks a version or a kept thing among those that there are.
import assert from 'node:assert/strict';
import { addon } from '../../fixtures/ledger/build.mjs';
import {
  collect,
  facadeOf,
  ledgerUse,
  mappings,
  open,
  retire,
  shim,
  tick,
  until,
} from '../../fixtures/ledger/load.mjs';

const VERSIONS_MAX = 6;
const KEPT_MAX = 40;
/** Of one class of a version. */
const INSTANCES_MAX = 5;
const NAPI_OK = 0;
const NAPI_INVALID_ARG = 1;
const NUMBER_OF_COUNTER = 3;
/** What the facade returns while no version serves it. */
const HOMELESS = -1;
/** Rounds of garbage collection until what nothing holds must be unloaded. */
const SETTLE_ROUNDS_MAX = 200;
/** Function objects that the last frames may still hold. */
const SLOTS_LEFT_MAX = 100;
/**
 * Of a class of the addon: V8 keeps it once the class itself was called by `new`, as an entry of the cache of templates that
 * a context has (CacheTemplateInstantiation in its src/api/api-natives.cc).
 */
const SLOTS_OF_CLASS = 6;

/** Kinds of pins that an object held by JavaScript is. @type {Record<string, string>} */
const PIN_OF = {
  wrap: 'wrapped-object',
  wrapWithReference: 'wrapped-object',
  wrapAgain: 'wrapped-object',
  external: 'external',
  arrayBuffer: 'external-buffer',
  buffer: 'external-buffer',
  latin1: 'external-string',
  utf16: 'external-string',
};
const RELEASABLE = new Set(['wrapped-object', 'external']);
/** They end by themselves, and are counted by the addon until then. */
const RUNNING = ['work', 'uvWork', 'thread', 'stdThread', 'threadLocalOfThread'];
/** They leave nothing that JavaScript could hold. */
const LEFT_BEHIND = [
  ...['wrapNoLonger', 'addFinalizer', 'addFinalizerNoLonger', 'postFinalizer', 'externalUnowned'],
  ...[
    'strongReference',
    'instanceData',
    'hooks',
    'asyncHookNoLonger',
    'workNeverQueued',
    'threadLocal',
    'threadKey',
  ],
];
const OBJECTS = Object.keys(PIN_OF);

export const NAMES = [
  ...['open', 'open', 'reload', 'call', 'call', 'callKept', 'callKept', 'throw', 'nest', 'retireInside'],
  ...[
    'keepFunction',
    'keepObject',
    'keepObject',
    'keepClass',
    'keepClass',
    'move',
    'useObject',
    'leaveBehind',
    'run',
    'run',
  ],
  ...['threadsafe', 'retire', 'retire', 'release', 'drop', 'drop', 'turn', 'turn'],
];
/** Once in so many operations: it takes as long as hundreds of others. */
export const COLLECT_EACH = 200;

/** @typedef {{ name: string, which: number, value: number }} Operation */
/** What an addon exports is called by its name. @typedef {import('../../fixtures/ledger/load.mjs').LoadedVersion & { exports: any }} Loaded */
/**
 * @typedef {{
 *   real: Loaded,
 *   number: number,
 *   state: 'live' | 'closing' | 'unloaded',
 *   hasThreadsafe: boolean,
 *   hasHooks: boolean,
 *   wasRetired: boolean,
 * }} Version
 */
/**
 * @typedef {{ kind: string, owner: Version, real: any, pin?: string | null | undefined, others?: any[], Counter?: any }} Thing
 *   `pin` is none of what pins nothing, and null where its version was unloaded
 */
/**
 * @typedef {{
 *   versions: Version[],
 *   kept: Thing[],
 *   classes: number,
 *   count: number,
 *   facade: ReturnType<typeof facadeOf>,
 *   serving: Version | null,
 * }} World
 */

/** Of one run. @returns {World} */
export function createWorld() {
  return { versions: [], kept: [], classes: 0, count: 0, facade: facadeOf(() => HOMELESS), serving: null };
}

/** What throws where a version was unloaded. @param {() => unknown} touch */
const throwsUnloaded = (touch) => assert.throws(touch, { code: 'ERR_VERSION_UNLOADED' });

/** @template T @param {readonly T[]} list @param {number} which @returns {T | undefined} */
const pick = (list, which) => list[which % (list.length || 1)];
/** @param {World} world */
const live = (world) => world.versions.filter(({ state }) => state === 'live');
/** A version that waits for pins after its cleanup hooks is `closing`: nobody can call it any more. @param {World} world */
const inMemory = (world) => world.versions.filter(({ state }) => state !== 'unloaded');

/** @param {World} world @param {Thing} thing */
function keep(world, thing) {
  world.kept.push(thing);
  if (world.kept.length > KEPT_MAX) world.kept.shift();
}

/** @param {Thing} thing */
function checkCall({ owner, real }) {
  if (owner.state === 'live') assert.equal(real(), owner.number);
  else throwsUnloaded(real);
}

/** What must pin a version, as far as the model knows: garbage and what just ended may still pin it, too. @param {World} world @param {Version} version */
function knownPins(world, version) {
  const held = world.kept.filter(({ owner }) => owner === version);
  const pins = new Set(held.flatMap(({ pin }) => pin ?? []));
  if (version.hasThreadsafe) pins.add('threadsafe-function');
  return pins;
}

/** @param {World} world */
function checkFacade({ facade, serving }) {
  assert.equal(facade.value(), serving === null ? HOMELESS : serving.number);
}

/** Retires a version, and sees what became of it: only the ledger knows whether its hooks may end its pins. @param {Version} version @param {boolean} releaseObjects */
function retireAndLook(version, releaseObjects) {
  const retired = retire(version.real, releaseObjects);
  version.wasRetired = true;
  if (retired.outcome !== 'pinned') version.state = 'unloaded';
  else if (version.state === 'live' && isRevoked(version)) version.state = 'closing';
  return retired;
}

/** @param {Version} version */
function isRevoked({ real }) {
  try {
    real.exports.version();
    return false;
  } catch (error) {
    assert.equal(/** @type {NodeJS.ErrnoException} */ (error).code, 'ERR_VERSION_UNLOADED');
    return true;
  }
}

/** @param {World} world @param {Version} version @param {boolean} releaseObjects */
function tryToRetire(world, version, releaseObjects) {
  // As live exports do: what follows reloads leaves a version before that retires.
  if (world.serving === version) {
    world.facade.point(null, () => HOMELESS);
    world.serving = null;
  }
  checkFacade(world);
  const known = knownPins(world, version);
  if (releaseObjects) for (const pin of RELEASABLE) known.delete(pin);
  const { outcome, pins } = retireAndLook(version, releaseObjects);
  if (known.size > 0) {
    assert.equal(outcome, 'pinned', `it needs ${[...known]}`);
    for (const pin of known) assert.match(pins, new RegExp(`${pin}:`));
  }
  if (outcome === 'pinned') {
    assert.notEqual(pins, '');
    return;
  }
  assert.equal(outcome, 'unloaded');
  // What is held of it is empty now.
  for (const thing of world.kept) if (thing.owner === version) thing.pin = null;
  throwsUnloaded(version.real.exports.version);
}

/** @param {World} world */
function openNext(world) {
  if (inMemory(world).length >= VERSIONS_MAX) return;
  world.count += 1;
  const number = world.count % 2 === 0 ? 1 : 2;
  /** @type {Loaded} */
  const real = open(addon('quiet', number));
  assert.equal(real.exports.version(), number);
  world.versions.push({
    real,
    number,
    state: 'live',
    hasThreadsafe: false,
    hasHooks: false,
    wasRetired: false,
  });
}

/** @type {Record<string, (world: World, operation: Operation) => void | Promise<void>>} */
const OPERATIONS = {
  open: openNext,

  /** The next version takes over what follows reloads. */
  reload(world) {
    openNext(world);
    const next = live(world).at(-1);
    if (next === undefined) return;
    assert.ok(world.facade.point(next.real.handle, next.real.exports.version));
    world.serving = next;
    checkFacade(world);
  },

  call(world, { which }) {
    const version = pick(live(world), which);
    if (version === undefined) return;
    assert.equal(version.real.exports.dataOf(), 7);
    assert.equal(version.real.exports.version(), version.number);
    checkFacade(world);
  },

  callKept(world, { which }) {
    const thing = pick(
      world.kept.filter(({ kind }) => kind === 'function'),
      which,
    );
    if (thing !== undefined) checkCall(thing);
  },

  throw(world, { which }) {
    const version = pick(live(world), which);
    if (version === undefined) return;
    assert.throws(version.real.exports.fail, { code: 'MINE' });
    const thrown = new Error('of the caller');
    const raise = () => {
      throw thrown;
    };
    assert.throws(() => version.real.exports.callBack(raise), thrown);
  },

  /** Through one version into another, and back. */
  nest(world, { which, value }) {
    const [outer, inner] = [pick(live(world), which), pick(live(world), value)];
    if (outer === undefined || inner === undefined) return;
    assert.equal(outer.real.exports.callBack(inner.real.exports.dataOf), 7);
    assert.equal(
      outer.real.exports.dataOf(() => inner.real.exports.dataOf()),
      7,
    );
  },

  retireInside(world, { which }) {
    const version = pick(live(world), which);
    if (version === undefined) return;
    version.real.exports.callBack(() => {
      const { outcome, pins } = retire(version.real);
      assert.equal(outcome, 'pinned');
      assert.match(pins, /frame:1/);
    });
  },

  keepFunction(world, { which }) {
    const owner = pick(live(world), which);
    if (owner === undefined) return;
    keep(world, { kind: 'function', owner, real: owner.real.exports.version });
  },

  keepObject(world, { which, value }) {
    const owner = pick(live(world), which);
    if (owner === undefined || owner.wasRetired) return;
    const kind = pick(OBJECTS, value) ?? '';
    keep(world, { kind, owner, real: owner.real.exports[kind](), pin: PIN_OF[kind] });
  },

  keepClass(world, { which, value }) {
    const owner = pick(live(world), which);
    if (owner === undefined || owner.wasRetired) return;
    world.classes += 1;
    const Counter = owner.real.exports.defineClass();
    const real = new Counter();
    assert.equal(real.get(), NUMBER_OF_COUNTER * owner.number);
    const others = Array.from({ length: value % INSTANCES_MAX }, () => new Counter());
    if (value % 2 === 0)
      keep(world, { kind: 'counter', owner, real, others, Counter, pin: 'wrapped-object' });
  },

  /** To another version, or to it and back. */
  move(world, { which, value }) {
    const thing = pick(
      world.kept.filter(
        ({ kind, owner, pin }) => kind === 'counter' && pin !== null && owner.state === 'live',
      ),
      which,
    );
    if (thing === undefined) return;
    if (live(world).length === 1) openNext(world);
    const target = pick(
      live(world).filter((version) => version !== thing.owner && !version.wasRetired),
      value,
    );
    if (target === undefined) return;
    world.classes += 1;
    const Counter = target.real.exports.defineClass();
    const [from, to] = [thing.owner.real.handle, target.real.handle];
    const [instances] = shim.findInstances(from, [thing.Counter]);
    assert.ok(instances);
    const known = [thing.real, ...(thing.others ?? [])];
    assert.ok(known.every((each) => instances.includes(each)));
    shim.beginMove(from, to);
    for (const instance of instances) Reflect.apply(Counter, instance, []);
    const succeeds = value % 3 > 0;
    assert.deepEqual(shim.endMove(from, to, succeeds), { lost: 0, thrown: [] });
    if (!succeeds) return;
    for (const instance of instances) Object.setPrototypeOf(instance, Counter.prototype);
    Object.assign(thing, { owner: target, Counter });
  },

  useObject(world, { which, value }) {
    const thing = pick(
      world.kept.filter(({ kind }) => kind !== 'function'),
      which,
    );
    if (thing === undefined) return;
    if (thing.kind === 'counter') useCounter(thing);
    // Another version is never given the pointer.
    const reader = pick(live(world), value);
    if (reader === undefined || PIN_OF[thing.kind] !== 'wrapped-object') return;
    const isOwn = reader === thing.owner && thing.pin !== null;
    assert.equal(reader.real.exports.statusOfUnwrap(thing.real), isOwn ? NAPI_OK : NAPI_INVALID_ARG);
  },

  leaveBehind(world, { which, value }) {
    const version = pick(live(world), which);
    if (version === undefined || version.wasRetired) return;
    const kind = pick(LEFT_BEHIND, value) ?? '';
    // Hooks that leave a thread-safe function open pin their version for good: nobody can release it any more.
    if (kind === 'hooks' && version.hasThreadsafe) return;
    if (kind === 'hooks') version.hasHooks = true;
    version.real.exports[kind]();
  },

  run(world, { which, value }) {
    const version = pick(live(world), which);
    if (version === undefined || version.wasRetired) return;
    const kind = pick(RUNNING, value) ?? '';
    version.real.exports[kind]();
    if (value % 3 > 0 || !['work', 'uvWork'].includes(kind)) return;
    // A thread may have ended by now; what completes on this thread has not.
    const { outcome, pins } = retireAndLook(version, false);
    assert.equal(outcome, 'pinned');
    assert.match(pins, kind === 'work' ? /async-work:/ : /uv-work:/);
  },

  threadsafe(world, { which }) {
    const version = pick(live(world), which);
    if (version === undefined || version.wasRetired || version.hasHooks) return;
    version.real.exports[version.hasThreadsafe ? 'threadsafeRelease' : 'threadsafe']();
    version.hasThreadsafe = !version.hasThreadsafe;
  },

  retire(world, { which }) {
    const version = pick(inMemory(world), which);
    if (version !== undefined) tryToRetire(world, version, false);
  },

  release(world, { which }) {
    const version = pick(inMemory(world), which);
    if (version !== undefined) tryToRetire(world, version, true);
  },

  drop(world, { which }) {
    if (world.kept.length > 0) world.kept.splice(which % world.kept.length, 1);
  },

  turn: () => tick(),

  collect: () => collect(),
};

/** @param {Thing} counter */
function useCounter({ owner, real, others = [], pin }) {
  if (owner.state !== 'live') {
    for (const touch of [() => real.get(), () => real.number, () => new real.constructor()])
      throwsUnloaded(touch);
    return;
  }
  assert.notEqual(pin, null);
  for (const each of [real, ...others]) assert.equal(each.get(), NUMBER_OF_COUNTER * owner.number);
}

/** @param {World} world @param {Operation} operation */
export async function perform(world, operation) {
  const operate = OPERATIONS[operation.name];
  assert.ok(operate, operation.name);
  await operate(world, operation);
  world.versions = world.versions.filter(
    (version) => version.state !== 'unloaded' || world.kept.some(({ owner }) => owner === version),
  );
}

/** Drops all. Then every version must be unloaded, and the ledger empty. @param {World} world */
export async function settle(world) {
  world.kept.length = 0;
  for (const version of live(world)) {
    if (version.hasThreadsafe) version.real.exports.threadsafeRelease();
    version.hasThreadsafe = false;
    await until(() => version.real.exports.pending() === 0);
  }
  for (let round = 0; inMemory(world).length > 0; round++) {
    if (round === SETTLE_ROUNDS_MAX)
      assert.fail(
        inMemory(world)
          .map(({ real }) => retire(real).pins)
          .join('; '),
      );
    if (round % 20 === 0) await collect();
    await tick();
    for (const version of inMemory(world)) tryToRetire(world, version, false);
  }
  world.versions.length = 0;
  await until(() => ledgerUse().images === 0);
  assert.equal(mappings(), 0);
}

/** Nothing of the ledger stays but what Node.js keeps of classes. @param {number} classes */
export async function checkLeft(classes) {
  await collect();
  const { images, pooledSlots, heapSlots } = ledgerUse();
  assert.equal(images, 0);
  assert.ok(pooledSlots <= SLOTS_LEFT_MAX, `${pooledSlots} slots of the pool are left`);
  assert.ok(
    heapSlots <= SLOTS_LEFT_MAX + classes * SLOTS_OF_CLASS,
    `${heapSlots} slots of the heap are left`,
  );
}
