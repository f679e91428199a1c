import { describe, expect, it } from 'vitest';
import { bandIs, figures, gainOver, verdict } from './summary';
import type { Score } from './types';

const score = (method: string, mae: number | undefined, change: Partial<Score> = {}): Score => ({
  lead: 'day',
  method,
  hours: 168,
  ...(mae === undefined ? {} : { mae, wape: mae / 250 }),
  ...change,
});

describe('how good it was', () => {
  const scores = [
    score('forecast', 40, { coverage: 0.82 }),
    score('seasonal_naive', 50),
    score('four_week_mean', 32),
    score('forecast', 60, { lead: 'week' }),
  ];
  it('is told beside two simple rules', () => {
    const found = figures(scores);
    expect(found).toMatchObject({ hours: 168, error: 40, share: 0.16, inside: 0.82 });
    expect(found?.against.map(({ rule, gain }) => [rule, Math.round(gain * 100)])).toEqual([
      ['seasonal_naive', 20],
      ['four_week_mean', -25],
    ]);
    expect(found?.against.map(({ gain }) => verdict(gain))).toEqual(['better', 'worse']);
  });
  it('is told for the week too, without what was not scored', () => {
    expect(figures(scores, 'week')).toEqual({ hours: 168, error: 60, share: 0.24, inside: null, against: [] });
  });
  it('is not told when nothing was scored', () => {
    expect(figures([])).toBeNull();
    expect(figures([score('forecast', undefined, { hours: 0 })])).toBeNull();
  });
  it('is equal when nobody would notice, and no gain over a rule that is never off', () => {
    expect(verdict(0.01)).toBe('equal');
    expect(gainOver(1, 0)).toBeNull();
  });
});

describe('the band', () => {
  it('promises too much when it is narrow and says too little when it is wide', () => {
    expect([0.6, 0.8, 0.95].map(bandIs)).toEqual(['narrow', 'good', 'wide']);
  });
});
