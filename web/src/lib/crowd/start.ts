/** What whoever starts a run fills in, as the server takes it. Pure. */
import type { NewRun } from './types';

export interface RunForm {
  speed: string;
  /** Visitors, % of expected. */
  factor: string;
  seed: string;
  areasEmpty: boolean;
}

/** Only what is asked of that kind of run is told: the rest of the form is not about it. */
export function newRun(kind: NewRun['kind'], form: RunForm): NewRun {
  // Without the tick nobody says that people are there: left out, the server goes by whether the event has begun.
  if (kind === 'live') return { kind, ...(form.areasEmpty ? { areasEmpty: true } : {}) };
  // A field of numbers that was emptied holds null.
  const seed = String(form.seed ?? '');
  return {
    kind,
    speed: Number(form.speed),
    visitorsFactor: Number(form.factor) / 100,
    ...(seed === '' ? {} : { seed: Number(seed) }),
  };
}
