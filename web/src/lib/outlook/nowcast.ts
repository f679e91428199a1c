/** The coming hour: what the server answers for it, and what the screen makes of that. Pure. */
import type { Nowcast, NowcastSeries } from './types';

/** How far ahead it is told, minutes. */
export const LEADS = [15, 30, 60] as const;
export type Lead = (typeof LEADS)[number];

export const aheadOf = ({ ahead }: Pick<NowcastSeries, 'ahead'>, lead: Lead) =>
  ahead.find(({ minutes }) => minutes === lead);
/** The moment until which so many minutes ahead run. */
export const leadUntil = (saidAt: string, lead: Lead) => Date.parse(saidAt) + lead * 60_000;
/** Places that have an answer. */
export const answered = ({ series }: Pick<Nowcast, 'series'>) => series.filter(({ ahead }) => ahead.length > 0);

export interface Change {
  direction: 'rises' | 'falls' | 'same';
  /** The last quarter of an hour, and the middle of what is expected of the next. */
  from: number;
  to: number;
}
/**
 * The next quarter of an hour beside the last one. About the same while the last lies within the band; null when one of
 * them is not known or not told. A lower edge that is too small to be told is nothing.
 */
export function changeOf(series: Pick<NowcastSeries, 'latest' | 'ahead'>): Change | null {
  const next = aheadOf(series, 15);
  const from = series.latest?.count;
  const to = next?.p50;
  if (next === undefined || from === undefined || to === undefined) return null;
  const isAbove = from > (next.p90 ?? Infinity);
  return { direction: from < (next.p10 ?? 0) ? 'rises' : isAbove ? 'falls' : 'same', from, to };
}
/** How many times the last quarter of an hour the next one is; nobody counts as one, so that it can be said. */
const times = ({ from, to }: Change) => to / Math.max(1, from);

export interface Changed {
  series: NowcastSeries;
  change: Change;
}
/**
 * The place that rises most against its own last quarter of an hour by more than its band; without one, the place that
 * falls most. 'none' when none changes by more than its band, null when nothing can be compared.
 */
export function mostChanged({ series }: Pick<Nowcast, 'series'>): Changed | 'none' | null {
  const all = series.flatMap((one): Changed[] => {
    const change = changeOf(one);
    return change ? [{ series: one, change }] : [];
  });
  if (all.length === 0) return null;
  const most = (direction: Change['direction'], sign: 1 | -1) =>
    all
      .filter(({ change }) => change.direction === direction)
      .sort((a, b) => sign * (times(b.change) - times(a.change)))[0];
  return most('rises', 1) ?? most('falls', -1) ?? 'none';
}

/** Orders of the table: as the server has them (areas, then by name), or what asks for attention first. */
export const ORDERS = ['places', 'rising', 'busiest'] as const;
export type Order = (typeof ORDERS)[number];
const weight: Record<Exclude<Order, 'places'>, (series: NowcastSeries) => number | undefined> = {
  rising: (series) => {
    const change = changeOf(series);
    return change ? times(change) : undefined;
  },
  busiest: (series) => aheadOf(series, 15)?.p50,
};
/** What has no number comes last, in the order of the server. */
export function ordered(series: NowcastSeries[], order: Order): NowcastSeries[] {
  if (order === 'places') return series;
  const of = weight[order];
  return [...series].sort((a, b) => (of(b) ?? -1) - (of(a) ?? -1));
}

/** The next quarter of an hour with its band and the last one, as shares of the width of a picture. */
export interface Mark {
  low: number;
  middle: number;
  high: number;
  last: number;
}
/** Room right of the largest number. */
const ROOM = 1.08;
export function markOf(series: Pick<NowcastSeries, 'latest' | 'ahead'>): Mark | null {
  const change = changeOf(series);
  const next = aheadOf(series, 15);
  if (!change || next?.p90 === undefined) return null;
  const whole = Math.max(change.from, next.p90) * ROOM;
  if (whole <= 0) return null;
  return { low: (next.p10 ?? 0) / whole, middle: change.to / whole, high: next.p90 / whole, last: change.from / whole };
}
