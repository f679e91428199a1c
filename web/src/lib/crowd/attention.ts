/** The one list of what needs attention: alerts, areas that nobody can see into, and gates that do not count. */
import type { Alert, AreaPicture, GatePicture, Picture } from './types';

export type Item =
  | { kind: 'alert'; key: string; alert: Alert }
  | { kind: 'area'; key: string; area: AreaPicture }
  | { kind: 'gate'; key: string; gate: GatePicture };

/**
 * What must be done first comes first: red that nobody has taken, red that is predicted, areas that nobody can see into,
 * then what somebody has taken, then gates. Among equals, what was passed on most often, then the likeliest, then the
 * oldest.
 */
function rank(item: Item): number {
  if (item.kind === 'area') return 2;
  if (item.kind === 'gate') return item.gate.status === 'unknown' ? 5 : 6;
  const taken = item.alert.status === 'acknowledged';
  return (taken ? 3 : 0) + (item.alert.isNow ? 0 : 1);
}
function amongAlerts(a: Alert, b: Alert): number {
  return (
    b.escalations - a.escalations ||
    (a.isNow ? 0 : (b.probability ?? 0) - (a.probability ?? 0)) ||
    Date.parse(a.raisedAt) - Date.parse(b.raisedAt) ||
    a.id - b.id
  );
}
export function compare(a: Item, b: Item): number {
  const byRank = rank(a) - rank(b);
  if (byRank !== 0) return byRank;
  if (a.kind === 'alert' && b.kind === 'alert') return amongAlerts(a.alert, b.alert);
  return a.key.localeCompare(b.key);
}

/** Everything in a picture that somebody must do something about, the most urgent first. */
export function attention({ attention: alerts, areas, gates }: Pick<Picture, 'attention' | 'areas' | 'gates'>): Item[] {
  const items: Item[] = [
    ...alerts
      .filter(({ status }) => status !== 'closed')
      .map((alert): Item => ({ kind: 'alert', key: `alert-${alert.id}`, alert })),
    // What is kept back for privacy is not a fault of anything.
    ...areas
      .filter(({ colour, suppressed }) => colour === 'unknown' && !suppressed)
      .map((area): Item => ({ kind: 'area', key: `area-${area.key}`, area })),
    ...gates
      .filter(({ status }) => status !== 'counted')
      .map((gate): Item => ({ kind: 'gate', key: `gate-${gate.key}`, gate })),
  ];
  return items.sort(compare);
}

/** Alerts with one of them as the server has just answered it: the next picture may still be a step away. */
export function withAlert(alerts: Alert[], changed: Alert): Alert[] {
  const others = alerts.filter(({ id }) => id !== changed.id);
  return changed.status === 'closed' ? others : [...others, changed];
}
