/**
 * What a version in another thread or process looks like here: functions that send a call and return a promise, classes
 * whose instances stand for objects of the addon, and copies of plain values. Also what stands for objects of which only
 * their use is known.
 */
import type { Surface, SurfaceMembers } from './messages.ts';

/** What a stub does when it is used. */
export interface Remote {
  call(path: readonly string[], args: readonly unknown[]): Promise<unknown>;
  get(path: readonly string[]): Promise<unknown>;
  set(path: readonly string[], value: unknown): void;
  /** Has the object made, and knows the stand-in from then on. */
  construct(standIn: object, path: readonly string[], args: readonly unknown[]): void;
  callOn(standIn: object, key: string, args: readonly unknown[]): Promise<unknown>;
  getOf(standIn: object, key: string): Promise<unknown>;
  setOf(standIn: object, key: string, value: unknown): void;
  /** The object is let go of. */
  dispose(standIn: object): void;
}

export interface Stubs {
  readonly exports: unknown;
  /** By their dotted names; `''` is the exports themselves. */
  readonly classes: ReadonlyMap<string, StubClass>;
}

export type StubClass = (new (...args: unknown[]) => object) & { readonly prototype: object };

export function makeStubs(surface: Surface, remote: Remote): Stubs {
  const made = new Map<string, unknown>();
  const exports = makeStub(surface, [], remote, made);
  const classes = new Map<string, StubClass>();
  for (const [path, stub] of made) if (isClass(stub)) classes.set(path, stub);
  inherit(surface, '', classes);
  return { exports, classes };
}

function makeStub(
  surface: Surface,
  path: readonly string[],
  remote: Remote,
  made: Map<string, unknown>,
): unknown {
  const name = path.join('.');
  switch (surface.kind) {
    case 'alias':
      return made.get(surface.of);
    case 'value':
      return surface.value.value;
    case 'namespace': {
      const object = {};
      made.set(name, object);
      return define(object, surface.own, path, remote, made);
    }
    case 'function': {
      // A method shorthand has no `prototype`, and `new` refuses it, as what it stands for.
      const { call } = { call: (...args: unknown[]) => remote.call(path, args) };
      made.set(name, call);
      return define(labelled(call, surface), surface.own, path, remote, made);
    }
    case 'class': {
      const stub = makeClass(surface.members, path, remote);
      made.set(name, stub);
      return define(labelled(stub, surface), surface.own, path, remote, made);
    }
    default:
      return undefined;
  }
}

/** As a native class does, it also takes a call without `new`: nobody can tell it from a function. */
function makeClass(members: SurfaceMembers, path: readonly string[], remote: Remote): StubClass {
  const stub = function (this: object, ...args: unknown[]): unknown {
    if (new.target === undefined) return remote.call(path, args);
    remote.construct(this, path, args);
    return undefined;
  } as unknown as StubClass;
  const { prototype } = stub;
  for (const { key, enumerable, shape } of members) {
    const property = memberOf(key, shape, remote);
    if (property !== null)
      Object.defineProperty(prototype, key, { ...property, enumerable, configurable: true });
  }
  const dispose = function dispose(this: object): void {
    remote.dispose(this);
  };
  Object.defineProperty(prototype, Symbol.dispose, { value: dispose, writable: true, configurable: true });
  return stub;
}

function memberOf(key: string, shape: Surface, remote: Remote): PropertyDescriptor | null {
  if (shape.kind === 'value') return { value: shape.value.value, writable: true };
  if (shape.kind === 'accessor') {
    return {
      ...(shape.get && {
        get(this: object) {
          return remote.getOf(this, key);
        },
      }),
      ...(shape.set && {
        set(this: object, value: unknown) {
          remote.setOf(this, key, value);
        },
      }),
    };
  }
  if (shape.kind !== 'method') return null;
  const { method } = {
    method(this: object, ...args: unknown[]) {
      return remote.callOn(this, key, args);
    },
  };
  return { value: labelled(method, { name: key, length: shape.length }), writable: true };
}

function define(
  object: object,
  own: SurfaceMembers,
  path: readonly string[],
  remote: Remote,
  made: Map<string, unknown>,
): object {
  for (const { key, enumerable, shape } of own) {
    const at = [...path, key];
    const property: PropertyDescriptor =
      shape.kind === 'accessor'
        ? {
            ...(shape.get && { get: () => remote.get(at) }),
            ...(shape.set && { set: (value: unknown) => remote.set(at, value) }),
          }
        : { value: makeStub(shape, at, remote, made), writable: true };
    Object.defineProperty(object, key, { ...property, enumerable, configurable: true });
  }
  return object;
}

/** Once all are made: a class may be exported before the one that it inherits from. */
function inherit(surface: Surface, name: string, classes: ReadonlyMap<string, StubClass>): void {
  if (!('own' in surface)) return;
  const stub = classes.get(name);
  const parent =
    surface.kind === 'class' && surface.parent !== null ? classes.get(surface.parent) : undefined;
  if (stub !== undefined && parent !== undefined) Object.setPrototypeOf(stub.prototype, parent.prototype);
  for (const { key, shape } of surface.own) inherit(shape, name === '' ? key : `${name}.${key}`, classes);
}

function labelled<T extends object>(
  stub: T,
  { name, length }: { readonly name: string; readonly length: number },
): T {
  Object.defineProperty(stub, 'name', { value: name, configurable: true });
  Object.defineProperty(stub, 'length', { value: length, configurable: true });
  return stub;
}

function isClass(stub: unknown): stub is StubClass {
  return typeof stub === 'function' && typeof stub.prototype === 'object';
}

/** Of a class that is not exported, of which nothing is known but that it has methods. */
export function makeOpenObject(remote: Pick<Remote, 'callOn'>): object {
  const standIn: object = new Proxy(Object.create(null) as object, {
    get: (_, key) => {
      if (typeof key !== 'string' || key === 'then') return undefined;
      return (...args: unknown[]) => remote.callOn(standIn, key, args);
    },
  });
  return standIn;
}

/** What `for await` takes from, one `next` at a time. */
export function makeIterator(remote: Pick<Remote, 'callOn' | 'dispose'>): AsyncIterableIterator<unknown> {
  let isDone = false;
  const step = async (key: string, args: unknown[]): Promise<IteratorResult<unknown>> => {
    if (isDone) return { done: true, value: undefined };
    const result = (await remote.callOn(iterator, key, args)) as IteratorResult<unknown>;
    if (result.done) {
      // It keeps its version from here on no more, whoever holds it.
      isDone = true;
      remote.dispose(iterator);
    }
    return result;
  };
  const iterator: AsyncIterableIterator<unknown> = {
    next: (...args) => step('next', args),
    return: async (value) => {
      const last = await step('return', [await value]).catch(() => ({ done: true as const, value }));
      remote.dispose(iterator);
      return last;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
