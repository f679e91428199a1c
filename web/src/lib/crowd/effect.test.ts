import { describe, expect, it } from 'vitest';
import { effects } from './effect';
import { outcomes } from './outcome';
import type { Ahead, Decision, WhatIfArea } from './types';

const at = (inMin: number, p50: number | null, probabilityRed: number | null = null): Ahead => ({
  inMin,
  p10: null,
  p50,
  p90: null,
  probabilityRed,
});
const area = (key: string, without: Ahead[], withIt: Ahead[]): WhatIfArea => ({
  key,
  name: key,
  without,
  with: withIt,
});

describe('the effect of a measure', () => {
  it('is told at the minute at which it is largest, the most changed area first', () => {
    const found = effects({
      notes: [],
      areas: [
        area('little', [at(5, 100), at(10, 100)], [at(5, 99), at(10, 98)]),
        area('much', [at(5, 100, 0.1), at(10, 300, 0.9)], [at(5, 100, 0.1), at(10, 200, 0.2)]),
      ],
    });
    expect(found.map(({ area: { key }, inMin, persons }) => [key, inMin, persons])).toEqual([
      ['much', 10, -100],
      ['little', 10, -2],
    ]);
    expect(found[0]?.chance).toBeCloseTo(-0.7);
  });
  it('is not known, and not zero, where nothing can be said', () => {
    const [found] = effects({ notes: [], areas: [area('blind', [at(5, null)], [at(5, null)])] });
    expect(found).toMatchObject({ inMin: null, persons: null, chance: null });
  });
});

describe('the outcome of a decision', () => {
  const decision = (minutes: number[]) =>
    ({
      expected: {
        notes: [],
        areas: [
          area(
            'kade',
            minutes.map((n) => at(n, 500)),
            [],
          ),
        ],
      },
      actual: minutes.map((inMin) => ({ area: 'kade', inMin, expected: 400, actual: inMin > 30 ? null : 390 })),
    }) as unknown as Decision;
  it('is told at a quarter, half an hour and an hour', () => {
    expect(
      outcomes(decision([5, 10, 15, 20, 30, 60])).map(({ inMin, without, actual }) => [inMin, without, actual]),
    ).toEqual([
      [15, 500, 390],
      [30, 500, 390],
      [60, 500, null],
    ]);
  });
  it('is told at every minute there is when those are not there', () => {
    expect(outcomes(decision([5, 10])).map(({ inMin }) => inMin)).toEqual([5, 10]);
  });
});
