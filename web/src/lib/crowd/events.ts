/** The order of events: what runs now, what comes, what has been. */
import type { CrowdEvent } from './types';

export function soonestFirst(events: CrowdEvent[], now: number): CrowdEvent[] {
  const group = ({ run, until, phase }: CrowdEvent) => {
    if (run) return 0;
    return phase === 'over' || Date.parse(until) < now ? 2 : 1;
  };
  // What comes: the first one first. What has been: the last one first.
  const within = (a: CrowdEvent, b: CrowdEvent) =>
    group(a) === 2 ? Date.parse(b.from) - Date.parse(a.from) : Date.parse(a.from) - Date.parse(b.from);
  return [...events].sort((a, b) => group(a) - group(b) || within(a, b) || a.name.localeCompare(b.name));
}
