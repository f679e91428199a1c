/** Preparing a series for the chart and its table: gaps stay gaps, and the scale never invents values. */
import type { Series } from '$lib/api/types';

export interface ChartData {
  /** Seconds since 1970, as the chart wants them. */
  times: number[];
  values: (number | null)[];
  gaps: [number, number][];
}

/** Puts a null inside every gap that the server named, so that no line is drawn through it. */
export function chartData(series: Pick<Series, 'points' | 'gaps'>): ChartData {
  const points: [number, number | null][] = [...series.points];
  for (const [from, to] of series.gaps) {
    const broken = points.some(([at, value]) => at > from && at < to && value === null);
    if (!broken) points.push([(from + to) / 2, null]);
  }
  points.sort((a, b) => a[0] - b[0]);
  return {
    times: points.map(([at]) => at / 1000),
    values: points.map(([, value]) => value),
    gaps: series.gaps.map(([from, to]) => [from / 1000, to / 1000]),
  };
}

/**
 * What the time axis shows, in seconds: the whole asked period (milliseconds), so that missing readings at its start and
 * end are seen, unless the reader zoomed in to a part of the readings.
 */
export function chartRange(times: number[], period: [number, number], [low, high]: [number, number]): [number, number] {
  const whole = low <= (times[0] ?? low) && high >= (times.at(-1) ?? high);
  return whole ? [period[0] / 1000, period[1] / 1000] : [low, high];
}

export type SeriesRow = { at: number; value: number } | { from: number; to: number };

/** Readings and gaps in order of time, newest first, for the table beside the chart. */
export function seriesRows(series: Pick<Series, 'points' | 'gaps'>): SeriesRow[] {
  const rows: SeriesRow[] = series.gaps.map(([from, to]) => ({ from, to }));
  for (const [at, value] of series.points) if (value !== null) rows.push({ at, value });
  const start = (row: SeriesRow) => ('at' in row ? row.at : row.from + 1);
  return rows.sort((a, b) => start(b) - start(a));
}

/** Whether a moment lies in one of the gaps. */
export function inGap(at: number, gaps: [number, number][]): boolean {
  return gaps.some(([from, to]) => at > from && at < to);
}
