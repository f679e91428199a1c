/** The order of events: what runs now, what comes, what has been. */
import type { EventSummary } from './types';

export function soonestFirst(events: EventSummary[], now: number): EventSummary[] {
  const group = ({ run, until, phase }: EventSummary) => {
    if (run && run.state !== 'ended') return 0;
    return phase === 'ended' || Date.parse(until) < now ? 2 : 1;
  };
  // What comes: the first one first. What has been: the last one first.
  const within = (a: EventSummary, b: EventSummary) =>
    group(a) === 2 ? Date.parse(b.from) - Date.parse(a.from) : Date.parse(a.from) - Date.parse(b.from);
  return [...events].sort((a, b) => group(a) - group(b) || within(a, b) || a.name.localeCompare(b.name));
}
