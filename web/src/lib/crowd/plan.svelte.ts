/** The plan of one event as this screen knows it: what others change arrives by asking again, what we change goes first. */
import { ApiError } from '$lib/api/client';
import { getPlan, putPart, removePart } from './api';
import type { Bodies, Body, EventPlan, Part, PartKind } from './types';

const ASK_AGAIN_MS = 10_000;

/** Somebody changed the thing between opening and saving. */
export class Conflict extends Error {
  constructor(readonly current: Part | null) {
    super('changed in between');
  }
}

export class Plan {
  held = $state.raw<EventPlan>()!;
  /** The last thing that was removed here, to put it back. */
  removed = $state.raw<Part | null>(null);
  /** Why asking again failed the last time; null when all is well. */
  problem = $state.raw<unknown>(null);
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(plan: EventPlan) {
    this.held = plan;
  }
  get id() {
    return this.held.event.id;
  }
  of<K extends PartKind>(kind: K): Part<Bodies[K]>[] {
    const found = this.held.parts.filter((part) => part.kind === kind) as unknown as Part<Bodies[K]>[];
    return found.sort((a, b) => a.body.name.localeCompare(b.body.name));
  }
  part(kind: PartKind, key: string): Part | undefined {
    return this.held.parts.find((part) => part.kind === kind && part.key === key);
  }
  /** The name of a thing, or its key when it is gone. */
  name(kind: PartKind, key: string | null | undefined): string {
    if (!key) return '';
    return String(this.part(kind, key)?.body.name ?? key);
  }

  /** Keeps the plan fresh while somebody looks at it. */
  watch(): () => void {
    const ask = () => {
      if (document.visibilityState === 'visible') void this.refresh();
    };
    this.#timer = setInterval(ask, ASK_AGAIN_MS);
    document.addEventListener('visibilitychange', ask);
    return () => {
      clearInterval(this.#timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }
  async refresh() {
    try {
      this.held = await getPlan(this.id);
      this.problem = null;
    } catch (error) {
      this.problem = error;
    }
  }

  /** @throws Conflict when somebody changed or removed the thing in between. */
  async save(kind: PartKind, key: string, version: number | null, body: Body): Promise<Part> {
    const saved = await this.#orConflict(putPart(this.id, kind, key, version, body));
    this.#put(saved);
    await this.refresh();
    return saved;
  }
  async remove(part: Part) {
    await this.#orConflict(removePart(this.id, part));
    this.held = {
      ...this.held,
      parts: this.held.parts.filter((one) => one.kind !== part.kind || one.key !== part.key),
    };
    this.removed = part;
    await this.refresh();
  }
  /** Puts back what was removed last, under the key that it had: what pointed to it points to it again. */
  async restore() {
    const part = this.removed;
    if (!part) return;
    await this.save(part.kind, part.key, null, part.body);
    this.removed = null;
  }

  #put(saved: Part) {
    const others = this.held.parts.filter((part) => part.kind !== saved.kind || part.key !== saved.key);
    this.held = { ...this.held, parts: [...others, saved] };
  }
  async #orConflict<T>(asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || !('current' in error.body)) throw error;
      const current = error.body.current as Part | null;
      if (current) this.#put(current);
      throw new Conflict(current);
    }
  }
}
