/** Live instances that move from one host to another: what stands in for them stays, and so do their numbers. */
import assert from 'node:assert/strict';
import { errors } from '../errors.ts';
import { Later } from '../later.ts';
import type { InstanceCounts } from '../report.ts';
import type { HookContext, Hooks } from '../state/hooks.ts';
import type { InstanceMover } from '../state/instances.ts';
import { type About, checkEach, copyState } from '../state/roundtrip.ts';
import type { HostedVersion } from './hosted-version.ts';
import type { WireInstance } from './messages.ts';
import type { Reference } from './stand-ins.ts';

/** The instances of one class. */
interface Moving {
  readonly name: string;
  readonly old: { readonly made: object };
  readonly next: { readonly made: object };
  readonly instances: readonly object[];
  readonly references: readonly Reference[];
}

interface Side {
  readonly host: HostedVersion;
  readonly hooks: Hooks;
}

export class HostedMove implements InstanceMover {
  readonly classes: readonly Moving[];
  readonly counts: InstanceCounts;
  readonly #to: Side;
  readonly #saved: readonly WireInstance[];
  #compares = false;

  /** After the old version's `save`, which saves its instances with it. */
  constructor(from: Side, to: Side) {
    this.#to = to;
    const moved: Record<string, number> = {};
    const stayed: Record<string, number> = {};
    const byName = new Map<
      string,
      Moving & { readonly instances: object[]; readonly references: Reference[] }
    >();
    const saved = new Map(from.host.saved?.instances.map((each) => [each.id, each]));
    for (const { standIn, reference } of from.host.instances()) {
      const { name } = reference;
      // It went with a host that has crashed.
      if (!saved.has(reference.id)) continue;
      const [old, next] = [from.hooks.classes.get(name), to.hooks.classes.get(name)];
      const counts = old && next ? moved : stayed;
      counts[name] = (counts[name] ?? 0) + 1;
      if (old === undefined || next === undefined) continue;
      const moving = byName.get(name) ?? { name, old, next, instances: [], references: [] };
      byName.set(name, moving);
      moving.instances.push(standIn);
      moving.references.push(reference);
    }
    this.classes = [...byName.values()];
    this.counts = { moved, stayed };
    const ids = new Set(this.classes.flatMap(({ references }) => references.map(({ id }) => id)));
    this.#saved = [...saved.values()].filter(({ id }) => ids.has(id));
  }

  save(compares: boolean): void {
    this.#compares = compares;
  }

  init(context: HookContext): Later<void> {
    return new Later(this.#to.host.adopt(context, this.#saved));
  }

  /** After the new version's `save`. */
  verify(about: About): void {
    const after = new Map((this.#to.host.saved?.instances ?? []).map(({ id, state }) => [id, state.value]));
    for (const { id, name } of this.#saved) {
      if (after.has(id)) continue;
      throw errors.stateRoundtrip(
        { ...about, reason: 'save-failed', path: `classes.${name}` },
        new Error('it did not save an instance that it took'),
      );
    }
    if (!this.#compares) return;
    const instances = this.#saved.map((each) => ({ id: each.id }));
    const given = this.#saved.map(({ state }) => copyState(state.value, about));
    checkEach(instances, (each) => after.get((each as { id: number }).id), given, {
      ...about,
      name: 'instances',
    });
  }

  finish(): void {
    for (const { references } of this.classes) {
      for (const reference of references) {
        assert(reference.owner !== this.#to.host.objects);
        this.#to.host.objects.own(reference);
      }
    }
  }

  /** The old host has changed nothing. */
  revert(): number {
    return 0;
  }
}
