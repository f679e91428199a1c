import { describe, expect, it } from 'vitest';
import { chartData, chartRange, inGap, seriesRows } from './series';

const series = {
  points: [
    [1000, 5],
    [2000, 6],
    [9000, 7],
  ] as [number, number | null][],
  gaps: [[2000, 9000]] as [number, number][],
};

describe('chartData', () => {
  it('breaks the line inside a gap', () => {
    const { times, values } = chartData(series);
    expect(values).toEqual([5, 6, null, 7]);
    expect(times).toEqual([1, 2, 5.5, 9]);
  });
  it('adds nothing when the server already broke the line', () => {
    const points: [number, number | null][] = [...series.points, [2001, null]];
    expect(chartData({ points, gaps: series.gaps }).values).toEqual([5, 6, null, 7]);
  });
});

describe('chartRange', () => {
  const period: [number, number] = [0, 20_000];
  it('shows the asked period when readings are missing at its start and end', () => {
    expect(chartRange([1, 2, 9], period, [1, 9])).toEqual([0, 20]);
    expect(chartRange([1], period, [1, 86_401])).toEqual([0, 20]);
  });
  it('shows the part that the reader zoomed in to', () => {
    expect(chartRange([1, 2, 9], period, [2, 8])).toEqual([2, 8]);
  });
});

describe('seriesRows', () => {
  it('names the gap between the readings, newest first', () => {
    expect(seriesRows(series)).toEqual([
      { at: 9000, value: 7 },
      { from: 2000, to: 9000 },
      { at: 2000, value: 6 },
      { at: 1000, value: 5 },
    ]);
  });
});

describe('inGap', () => {
  it('does not count the edges, where there are readings', () => {
    expect(inGap(2000, series.gaps)).toBe(false);
    expect(inGap(2500, series.gaps)).toBe(true);
  });
});
