/** The types of exports that run in another thread or process. */

/** What a structured clone copies: it comes over as it is. */
type Cloned =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | RegExp
  | Error
  | ArrayBufferLike
  | ArrayBufferView
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>;

type AnyFunction = (...args: never) => unknown;
type AnyClass = abstract new (...args: never) => unknown;

/** Whether it has methods: such an object stays where it is, and something stands in for it. */
type HasMethods<T> = true extends { [K in keyof T]: T[K] extends AnyFunction ? true : never }[keyof T]
  ? true
  : false;

/**
 * What exports of the type `T` are with `isolation: 'worker'` or `'process'`.
 *
 * - A function returns a promise. Functions among its arguments are called back, and their results are promises there.
 * - `new` gives a {@link RemoteObject} at once; what the constructor throws, the calls of its methods reject with.
 * - Objects of exports are the same, nested.
 * - Plain values are copies, made when the version was loaded.
 *
 * @example
 * ```ts
 * const kernel = await open<Kernel>('build/Release/kernel.node', { isolation: 'process' });
 * const mean: number = await kernel.exports.mean(new Float64Array(8));
 * using counter = new kernel.exports.Counter(40);
 * await counter.add(2);
 * ```
 */
export type Remote<T> = T extends Cloned | readonly unknown[]
  ? T
  : T extends AnyClass
    ? RemoteClass<T>
    : T extends AnyFunction
      ? RemoteFunction<T> & RemoteMembers<T>
      : T extends object
        ? RemoteMembers<T>
        : T;

type RemoteMembers<T> = { readonly [K in keyof T]: Remote<T[K]> };

type RemoteFunction<T extends AnyFunction> = T extends (...args: infer A) => infer R
  ? (...args: RemoteArguments<A>) => Promise<RemoteResult<Awaited<R>>>
  : never;

type RemoteClass<T extends AnyClass> = T extends abstract new (
  ...args: infer A
) => infer I
  ? (new (...args: RemoteArguments<A>) => RemoteObject<I>) & RemoteMembers<Omit<T, 'prototype'>>
  : never;

/**
 * What stands in for an object of the addon. Its methods return promises, and so does reading a property. It is let go of
 * when it is collected, or by `using`.
 */
export type RemoteObject<T> = {
  readonly [K in keyof T]: T[K] extends AnyFunction ? RemoteMethod<T[K], T> : Promise<RemoteResult<T[K]>>;
} & Disposable;

/** A method that returns its receiver returns what stands in for it. */
type RemoteMethod<F extends AnyFunction, Self> = F extends (...args: infer A) => infer R
  ? (
      ...args: RemoteArguments<A>
    ) => Promise<
      Awaited<R> extends Self
        ? Self extends Awaited<R>
          ? RemoteObject<Self>
          : RemoteResult<Awaited<R>>
        : RemoteResult<Awaited<R>>
    >
  : never;

type RemoteArguments<A extends readonly unknown[]> = { [K in keyof A]: RemoteArgument<A[K]> };

type RemoteArgument<V> = V extends Cloned | readonly unknown[]
  ? V
  : V extends (...args: infer A) => infer R
    ? (...args: A) => R | Promise<Awaited<R>>
    : HasMethods<V> extends true
      ? RemoteObject<V>
      : V;

type RemoteResult<R> = R extends Cloned | readonly unknown[]
  ? R
  : R extends AsyncIterable<infer E>
    ? AsyncIterableIterator<E>
    : R extends AnyFunction
      ? RemoteFunction<R>
      : HasMethods<R> extends true
        ? RemoteObject<R>
        : R;
