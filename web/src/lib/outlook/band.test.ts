import { describe, expect, it } from 'vitest';
import { columns, hours, isInside, recordHours, since, thinned, told } from './band';
import type { Count, Point } from './types';

const at = (hour: number) => new Date(Date.UTC(2026, 0, 5, hour)).toISOString();
const said = (hour: number, p50: number): Point => ({
  at: at(hour),
  p10: p50 * 0.8,
  p50,
  p90: p50 * 1.2,
  suppressed: false,
});
const count = (hour: number, value: number): Count => ({ at: at(hour), count: value, suppressed: false });

describe('what was said and what was counted', () => {
  it('stand beside each other by the hour, in order of time', () => {
    const all = hours([said(2, 100), said(1, 50)], [count(1, 48)]);
    expect(all.map(({ middle, was }) => [middle, was])).toEqual([
      [50, 48],
      [100, null],
    ]);
  });
  it('have a break where hours are missing, and no zero', () => {
    const all = hours([said(1, 50), said(4, 60)], []);
    expect(all.map(({ at: ms }) => new Date(ms).getUTCHours())).toEqual([1, 2, 4]);
    expect(columns(all)[2]).toEqual([50, null, 60]);
    expect(told(all)).toHaveLength(2);
  });
  it('tell no number that is kept back, but tell that it is', () => {
    const [hour] = hours([{ at: at(1), p90: 12, suppressed: true }], [{ at: at(1), suppressed: true }]);
    expect(hour).toMatchObject({ middle: null, low: null, high: null, was: null, isFew: true, wasFew: true });
    expect(told(hour ? [hour] : [])).toHaveLength(1);
  });
  it('have a band from nothing on when its lower edge is too small to be told', () => {
    expect(hours([{ at: at(1), p50: 20, p90: 40, suppressed: false }], [])[0]).toMatchObject({ low: 0, high: 40 });
  });
  it('are cut from a moment on', () => {
    expect(since(hours([said(1, 5), said(2, 6)], []), Date.parse(at(2)))).toHaveLength(1);
  });
});

describe('the track record', () => {
  it('has what was said beside what was counted, also where only one of them is there', () => {
    const all = recordHours([
      { at: at(1), said: { ...said(1, 100), model: 'm', hindcast: false }, counted: count(1, 119) },
      { at: at(2), counted: count(2, 7) },
      { at: at(3), said: { ...said(3, 100), model: 'm', hindcast: false }, counted: count(3, 130) },
    ]);
    expect(all.map(isInside)).toEqual([true, null, false]);
    expect(all[1]).toMatchObject({ middle: null, was: 7 });
  });
});

describe('days below a chart', () => {
  it('are as many as fit, evenly', () => {
    expect(thinned([1, 2, 3, 4, 5, 6, 7], 4)).toEqual([1, 3, 5, 7]);
    expect(thinned([1, 2], 4)).toEqual([1, 2]);
  });
});
