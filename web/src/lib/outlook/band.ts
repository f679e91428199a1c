/** What was said with its band, and what was counted, on one line of time, for the chart and its table. Pure. */
import type { Count, Point, RecordHour } from './types';

/** One hour of both. Null is not known or not told, and never zero. */
export interface Hour {
  at: number;
  low: number | null;
  middle: number | null;
  high: number | null;
  was: number | null;
  /** What was said, or what was counted, is kept back because it could point at few people. */
  isFew: boolean;
  wasFew: boolean;
}
export const HOUR_MS = 3_600_000;
const empty = (at: number): Hour => ({
  at,
  low: null,
  middle: null,
  high: null,
  was: null,
  isFew: false,
  wasFew: false,
});

type Said = Pick<Point, 'p10' | 'p50' | 'p90' | 'suppressed'>;
/** A lower edge below the least that is told is not told; the band then starts at nothing. */
function tell(hour: Hour, said: Said | undefined, was: Count | undefined): Hour {
  const middle = said?.suppressed ? null : (said?.p50 ?? null);
  return {
    ...hour,
    ...(said
      ? {
          middle,
          low: middle === null ? null : (said.p10 ?? 0),
          high: middle === null ? null : (said.p90 ?? null),
          isFew: said.suppressed,
        }
      : {}),
    ...(was ? { was: was.count ?? null, wasFew: was.suppressed } : {}),
  };
}
/** In order of time; where hours are missing in between there is one without values, so that lines break. */
function ordered(all: Iterable<Hour>): Hour[] {
  const sorted = [...all].sort((a, b) => a.at - b.at);
  return sorted.flatMap((hour, index) => {
    const before = sorted[index - 1];
    return before && hour.at - before.at > 1.5 * HOUR_MS ? [empty(before.at + HOUR_MS), hour] : [hour];
  });
}

/** What is expected with what was counted before it. */
export function hours(points: Point[], observed: Count[]): Hour[] {
  const all = new Map<number, Hour>();
  const put = (at: string, said?: Point, was?: Count) => {
    const ms = Date.parse(at);
    all.set(ms, tell(all.get(ms) ?? empty(ms), said, was));
  };
  for (const one of observed) put(one.at, undefined, one);
  for (const one of points) put(one.at, one);
  return ordered(all.values());
}
/** What was said at the midnight before each hour, with what was counted. */
export const recordHours = (record: RecordHour[]): Hour[] =>
  ordered(record.map(({ at, said, counted }) => tell(empty(Date.parse(at)), said, counted)));

/** Columns as the chart wants them: seconds, then low, middle, high, counted, and counted outside the band. */
export function columns(all: Hour[]): [number[], ...(number | null)[][]] {
  return [
    all.map(({ at }) => at / 1000),
    all.map(({ low }) => low),
    all.map(({ middle }) => middle),
    all.map(({ high }) => high),
    all.map(({ was }) => was),
    all.map((hour) => (isInside(hour) === false ? hour.was : null)),
  ];
}
/** Whether what was counted lies in the band; null when one of them is not known. */
export function isInside({ low, high, was }: Pick<Hour, 'low' | 'high' | 'was'>): boolean | null {
  return low === null || high === null || was === null ? null : low <= was && was <= high;
}
/** Hours that say something, for the table: the breaks in the line are not among them. */
export const told = (all: Hour[]) =>
  all.filter(({ middle, was, isFew, wasFew }) => middle !== null || was !== null || isFew || wasFew);
/** The part of it from a moment on. */
export const since = (all: Hour[], from: number) => all.filter(({ at }) => at >= from);
/** Every n-th of a list, so that at most `most` are left. */
export function thinned<T>(all: T[], most: number): T[] {
  const step = Math.ceil(all.length / Math.max(1, most));
  return step <= 1 ? all : all.filter((_, index) => index % step === 0);
}
