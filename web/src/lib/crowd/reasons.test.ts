import { describe, expect, it } from 'vitest';
import { area } from './fixtures.test-data';
import { bordersOf, gatesOf, nearestFirst, reasonOf, whenRed } from './reasons';
import type { Bodies, Gate, Part, Thresholds } from './types';

const thresholds = {
  persons: { amber: 800, red: 950 },
  densityM2: { amber: 2, red: 3.57 },
  occupancyShare: { amber: 0.8, red: 0.95 },
  specificFlowPedMMin: { amber: 66, red: 82 },
};
const gate = (key: string, from: string | null, to: string | null) =>
  ({ kind: 'gate', key, body: { name: key, from, to } }) as unknown as Part<Gate>;
const measure = (key: string, at: object) =>
  ({ kind: 'measure', key, body: { name: key, measure: { kind: 'dose', from: '', ...at } } }) as unknown as Part<
    Bodies['measure']
  >;

describe('the reason of an alert', () => {
  it('is the threshold that decided, with its value and the value now', () => {
    expect(reasonOf({ because: 'density', threshold: 3.57 }, area())).toEqual({
      quantity: 'density',
      value: 0.8,
      threshold: 3.57,
    });
  });
  it('takes the threshold from the area when the alert does not say it', () => {
    expect(reasonOf({ because: 'occupancy_share' }, area({ thresholds }))).toEqual({
      quantity: 'occupancy_share',
      value: 0.4,
      threshold: 0.95,
    });
  });
  it('has no value where nobody knows, and is none where the alert names none', () => {
    expect(reasonOf({ because: 'specific_flow' }, area({ thresholds, specificFlowPedMMin: undefined }))).toMatchObject({
      value: null,
      threshold: 82,
    });
    expect(reasonOf({}, area())).toBeNull();
    expect(reasonOf({ because: 'moon' as 'density' }, area())).toBeNull();
  });
});

describe('when it will be red', () => {
  const coming = (...chances: [number, number | undefined][]) =>
    area({ coming: chances.map(([inMin, probabilityRed]) => ({ inMin, colour: 'green', probabilityRed })) });
  it('is the first moment at which that is likely', () => {
    expect(whenRed(coming([60, 0.9], [15, 0.2], [30, 0.6]))).toEqual({ inMin: 30, probability: 0.6 });
  });
  it('is where it is likeliest when it is likely nowhere', () => {
    expect(whenRed(coming([15, 0.1], [30, 0.3], [60, 0.2]))).toEqual({ inMin: 30, probability: 0.3 });
  });
  it('is not said when nothing is known', () => {
    expect(whenRed(coming([15, undefined]))).toBeNull();
    expect(whenRed(undefined)).toBeNull();
  });
});

describe('what can be done at an area', () => {
  const gates = [gate('uit', 'kade', null), gate('in', null, 'kade'), gate('elders', null, 'plein')];
  it('is at its gates, first at those that lead into it', () => {
    expect(gatesOf('kade', gates).map(({ key }) => key)).toEqual(['in', 'uit']);
  });
  it('comes before what is prepared elsewhere', () => {
    const all = nearestFirst([measure('b', { gate: 'elders' }), measure('a', { gate: 'in' })], 'kade', gates);
    expect(all.map(({ part, isHere }) => [part.key, isHere])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    expect(nearestFirst([measure('a', { gate: 'in' })], null, gates)[0]?.isHere).toBe(false);
  });
});

describe('what an area is held against', () => {
  it('is each threshold that it has, with the value now', () => {
    expect(bordersOf(area({ thresholds: { densityM2: { amber: 2, red: 3.57 } } as Thresholds }))).toEqual([
      { quantity: 'density', value: 0.8, amber: 2, red: 3.57 },
    ]);
    expect(bordersOf(area({ thresholds, specificFlowPedMMin: undefined }))[1]).toMatchObject({ value: null, red: 82 });
  });
});
