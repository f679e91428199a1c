/**
 * Alerts that somebody is about to close: for a few seconds it can be taken back. When the page goes away in these
 * seconds, what was asked for is done.
 */
export const UNDO_MS = 8_000;

export interface Closing {
  reason: string;
  /** When it will be done (ms). */
  due: number;
}

export class Closings {
  all = $state.raw<Record<number, Closing>>({});
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  /** `send` closes an alert for good. */
  constructor(readonly send: (id: number, reason: string) => Promise<unknown>) {}

  add(id: number, reason: string, now = Date.now()) {
    this.undo(id);
    this.all = { ...this.all, [id]: { reason, due: now + UNDO_MS } };
    this.#timers.set(
      id,
      setTimeout(() => this.#finish(id), UNDO_MS),
    );
  }
  /** Takes it back: nothing has happened. */
  undo(id: number) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const { [id]: gone, ...rest } = this.all;
    if (gone) this.all = rest;
  }
  /** Does at once what is still waiting. */
  flush() {
    for (const id of [...this.#timers.keys()]) this.#finish(id);
  }
  #finish(id: number) {
    const { reason } = this.all[id] ?? {};
    this.undo(id);
    if (reason) void this.send(id, reason);
  }
}
