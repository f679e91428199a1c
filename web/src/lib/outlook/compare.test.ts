import { describe, expect, it } from 'vitest';
import { compared, standsOut } from './compare';

const said = (p50: number, spread = 0.1) => ({ p10: p50 * (1 - spread), p50, p90: p50 * (1 + spread) });

describe('a day beside the usual', () => {
  it('is so many percent busier or quieter, to the next five', () => {
    expect(compared(said(1190), 1000)).toEqual({ kind: 'busier', percent: 20, sure: true });
    expect(compared(said(700), 1000)).toEqual({ kind: 'quieter', percent: 30, sure: true });
  });
  it('is the same when nobody would notice', () => {
    expect(compared(said(1020), 1000)).toEqual({ kind: 'same' });
  });
  it('is not sure while the usual lies in the band', () => {
    expect(compared(said(1200, 0.3), 1000)).toEqual({ kind: 'busier', percent: 20, sure: false });
  });
  it('is told in times from twice as many on', () => {
    expect(compared(said(2340), 1000)).toEqual({ kind: 'times', times: 2.3, sure: true });
  });
  it('is unknown without a forecast, without a usual, and beside nobody', () => {
    for (const found of [compared(undefined, 10), compared(said(5), undefined), compared(said(5), 0)])
      expect(found).toEqual({ kind: 'unknown' });
  });
});

describe('what stands out', () => {
  it('is much only when it is sure', () => {
    expect(standsOut(compared(said(1300), 1000))).toBe(2);
    expect(standsOut(compared(said(1300, 0.5), 1000))).toBe(1);
    expect(standsOut(compared(said(1000), 1000))).toBe(0);
    expect(standsOut(compared(undefined, 1000))).toBeNull();
  });
});
