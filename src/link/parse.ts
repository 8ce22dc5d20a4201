/** Messages of the other end, which are unknown until they were looked at. */
import { PHASES, type Phase, type PhasesMs, type Retirement } from '../report.ts';
import type { FromApp, FromDev, LinkEvent, LinkFailure, LinkHandle, LinkVersion } from './messages.ts';

/** A message that does not fit. */
export class LinkSyntaxError extends Error {
  override readonly name = 'LinkSyntaxError';
}

/** @throws {@link LinkSyntaxError} that names the first field which does not fit */
export function parseFromApp(value: unknown): FromApp {
  const m = new Fields(value, 'message');
  const type = m.oneOf('type', ['hello', 'opened', 'event', 'reply', 'invalidate']);
  switch (type) {
    case 'hello': {
      const { pid, threadId } = { pid: m.number('pid'), threadId: m.number('threadId') };
      return { type, protocol: m.number('protocol'), pid, threadId, argv: m.texts('argv') };
    }
    case 'opened':
      return { type, ...readHandle(m) };
    case 'event':
      return { type, handle: m.number('handle'), event: readEvent(m.fields('event')) };
    case 'reply': {
      const failure = m.optional('failure', readFailure);
      return { type, id: m.number('id'), failure, handles: m.list('handles', readHandle) };
    }
    case 'invalidate':
      return { type, message: m.text('message') };
  }
}

/** @throws {@link LinkSyntaxError} that names the first field which does not fit */
export function parseFromDev(value: unknown): FromDev {
  const m = new Fields(value, 'message');
  const type = m.oneOf('type', ['reload', 'rollback', 'versions']);
  const id = m.number('id');
  return type === 'versions' ? { type, id } : { type, id, addon: m.text('addon') };
}

function readHandle(m: Fields): LinkHandle {
  return {
    handle: m.number('handle'),
    addon: m.text('addon'),
    serving: m.numberOrNull('serving'),
    versions: m.list('versions', readVersion),
    libraries: m.texts('libraries'),
  };
}

function readVersion(m: Fields): LinkVersion {
  return {
    id: m.number('id'),
    hash: m.text('hash'),
    state: m.oneOf('state', ['candidate', 'live', 'retiring', 'pinned', 'shared', 'kept', 'unloaded']),
    bytes: m.number('bytes'),
    reason: m.textOrNull('reason'),
    pins: m.list('pins', readPin),
    sharedWith: m.number('sharedWith'),
  };
}

function readPin(m: Fields): LinkVersion['pins'][number] {
  return { kind: m.text('kind'), count: m.number('count'), bytes: m.number('bytes') };
}

function readFailure(m: Fields): LinkFailure {
  return { code: m.text('code'), message: m.text('message'), version: m.numberOrNull('version') };
}

function readEvent(m: Fields): LinkEvent {
  const name = m.oneOf('name', [
    ...(['progress', 'reloaded', 'unchanged', 'failed', 'warning', 'unloaded', 'kept'] as const),
    ...(['crashed', 'restarted', 'gave-up', 'closed'] as const),
  ]);
  switch (name) {
    case 'progress':
      return { name, phase: m.oneOf('phase', PHASES), step: m.textOrNull('step') };
    case 'reloaded':
      return {
        name,
        from: m.numberOrNull('from'),
        to: m.number('to'),
        phasesMs: readPhases(m.fields('phasesMs')),
        state: m.oneOf('state', ['carried', 'stateless', 'discarded', 'shared']),
        moved: m.number('moved'),
        stayed: m.number('stayed'),
        retired: m.optional('retired', readRetired),
        recommended: m.textOrNull('recommended'),
        restored: m.numberOrNull('restored'),
      };
    case 'unchanged':
      return { name, id: m.number('id'), reason: m.oneOf('reason', ['live', 'rejected']) };
    case 'failed':
      return { name, failure: readFailure(m.fields('failure')) };
    case 'warning':
      return { name, code: m.text('code'), message: m.text('message') };
    case 'kept':
      return { name, id: m.number('id'), reason: m.text('reason') };
    case 'crashed':
    case 'gave-up':
      return { name, id: m.number('id'), message: m.text('message') };
    case 'unloaded':
    case 'restarted':
      return { name, id: m.number('id') };
    case 'closed':
      return { name };
  }
}

function readPhases(m: Fields): PhasesMs {
  const phasesMs: Partial<Record<Phase, number>> = {};
  for (const phase of PHASES) if (m.has(phase)) phasesMs[phase] = m.number(phase);
  return phasesMs;
}

function readRetired(m: Fields): Retirement {
  const id = m.number('id');
  const outcome = m.oneOf('outcome', ['unloaded', 'pinned', 'shared', 'kept']);
  switch (outcome) {
    case 'unloaded':
      return { id, outcome };
    case 'pinned':
      return { id, outcome, pins: m.list('pins', readPin) };
    case 'shared':
      return { id, outcome, others: m.number('others') };
    case 'kept':
      return { id, outcome, reason: m.text('reason') };
  }
}

/** The fields of one object. */
class Fields {
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #name: string;

  constructor(value: unknown, name: string) {
    this.#name = name;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#refuse('', 'an object');
    this.#record = value as Readonly<Record<string, unknown>>;
  }

  has(field: string): boolean {
    return this.#record[field] !== undefined;
  }

  text(field: string): string {
    const value = this.#record[field];
    return typeof value === 'string' ? value : this.#refuse(`.${field}`, 'a string');
  }

  textOrNull(field: string): string | null {
    return this.#record[field] === null ? null : this.text(field);
  }

  number(field: string): number {
    const value = this.#record[field];
    return typeof value === 'number' ? value : this.#refuse(`.${field}`, 'a number');
  }

  numberOrNull(field: string): number | null {
    return this.#record[field] === null ? null : this.number(field);
  }

  oneOf<const T extends string>(field: string, known: readonly T[]): T {
    const value = this.#record[field];
    return known.find((one) => one === value) ?? this.#refuse(`.${field}`, `one of ${known.join(', ')}`);
  }

  texts(field: string): readonly string[] {
    const value = this.#record[field];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    return this.#refuse(`.${field}`, 'an array of strings');
  }

  fields(field: string): Fields {
    return new Fields(this.#record[field], `${this.#name}.${field}`);
  }

  optional<T>(field: string, read: (fields: Fields) => T): T | null {
    return this.#record[field] === null ? null : read(this.fields(field));
  }

  list<T>(field: string, read: (fields: Fields) => T): readonly T[] {
    const value = this.#record[field];
    if (!Array.isArray(value)) return this.#refuse(`.${field}`, 'an array');
    return value.map((item: unknown, index) => read(new Fields(item, `${this.#name}.${field}[${index}]`)));
  }

  #refuse(field: string, wanted: string): never {
    throw new LinkSyntaxError(`"${this.#name}${field}" is not ${wanted}`);
  }
}
