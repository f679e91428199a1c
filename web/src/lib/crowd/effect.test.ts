import { describe, expect, it } from 'vitest';
import { effects } from './effect';
import { outcomes } from './outcome';
import type { Ahead, DecisionReport, Difference } from './types';

const at = (inMin: number, p50?: number, probabilityRed?: number): Ahead => ({
  inMin,
  colour: 'green',
  p50,
  probabilityRed,
});
const area = (key: string, without: Ahead[], withIt: Ahead[]): Difference => ({
  key,
  name: key,
  without,
  with: withIt,
});

describe('the effect of a measure', () => {
  it('is told at the minute at which it is largest, the most changed area first', () => {
    const found = effects([
      area('little', [at(5, 100), at(10, 100)], [at(5, 99), at(10, 98)]),
      area('much', [at(5, 100, 0.1), at(10, 300, 0.9)], [at(5, 100, 0.1), at(10, 200, 0.2)]),
    ]);
    expect(found.map(({ area: { key }, inMin, persons }) => [key, inMin, persons])).toEqual([
      ['much', 10, -100],
      ['little', 10, -2],
    ]);
    expect(found[0]?.chance).toBeCloseTo(-0.7);
  });
  it('is not known, and not zero, where nothing can be said', () => {
    const [found] = effects([area('blind', [at(5)], [at(5)])]);
    expect(found).toMatchObject({ inMin: null, persons: null, chance: null });
  });
});

describe('the outcome of a decision', () => {
  const decision = (minutes: number[]) =>
    ({
      expected: [
        area(
          'kade',
          minutes.map((n) => at(n, 500)),
          minutes.map((n) => at(n, 400)),
        ),
      ],
      outcome: minutes.filter((n) => n <= 30).map((inMin) => ({ area: 'kade', inMin, actual: 390 })),
    }) as unknown as DecisionReport;
  it('is told at a quarter, half an hour and an hour; what has not come yet is not known', () => {
    const told = outcomes(decision([5, 10, 15, 20, 30, 60]));
    expect(told.map(({ inMin, without, expected, actual }) => [inMin, without, expected, actual])).toEqual([
      [15, 500, 400, 390],
      [30, 500, 400, 390],
      [60, 500, 400, null],
    ]);
  });
  it('leaves out areas for which nothing was expected to change', () => {
    const one = decision([15]);
    one.expected.push(area('stil', [at(15, 80)], [at(15, 80)]));
    expect(outcomes(one).map(({ area: key }) => key)).toEqual(['kade']);
  });
  it('is told at every minute there is when those are not there', () => {
    expect(outcomes(decision([5, 10])).map(({ inMin }) => inMin)).toEqual([5, 10]);
  });
});
