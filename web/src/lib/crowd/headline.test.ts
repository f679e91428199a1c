import { describe, expect, it } from 'vitest';
import { alert, area } from './fixtures.test-data';
import { headlineOf } from './headline';
import type { AreaPicture } from './types';

const of = (...areas: AreaPicture[]) => headlineOf({ areas, attention: [] });
const quiet = (change: Partial<AreaPicture> = {}) =>
  area({ coming: [{ inMin: 15, colour: 'green', probabilityRed: 0.01 }], ...change });
const soon = (inMin: number, probabilityRed: number, change: Partial<AreaPicture> = {}) =>
  area({ coming: [{ inMin, colour: 'red', probabilityRed }], ...change });

describe('the one thing to know', () => {
  it('is red, of the fullest area, with how many more', () => {
    const full = quiet({ key: 'vol', colour: 'red', occupancy: { value: 900, sd: 50 } });
    expect(of(soon(15, 0.9), quiet({ colour: 'red' }), full)).toMatchObject({ kind: 'now', area: full, more: 1 });
  });
  it('is else the first red to come, with when and how sure it is', () => {
    expect(
      of(soon(60, 0.9, { key: 'later' }), soon(30, 0.6, { key: 'eerst' }), quiet({ colour: 'amber' })),
    ).toMatchObject({ kind: 'soon', area: { key: 'eerst' }, inMin: 30, probability: 0.6, more: 1 });
  });
  it('stays with an area of which an alert is open, also while red has become less likely', () => {
    const less = soon(30, 0.3, { key: 'plein' });
    expect(of(less).kind).toBe('calm');
    const found = headlineOf({ areas: [less], attention: [alert({ area: 'plein' })] });
    expect(found).toMatchObject({ kind: 'soon', inMin: 30, probability: 0.3 });
    expect(headlineOf({ areas: [less], attention: [alert({ area: 'plein', status: 'closed' })] }).kind).toBe('calm');
  });
  it('is else what nobody can see, before what is amber', () => {
    const blind = quiet({ colour: 'unknown' });
    expect(of(quiet({ colour: 'amber' }), blind)).toMatchObject({ kind: 'unknown', area: blind });
    expect(of(quiet({ colour: 'amber' }))).toMatchObject({ kind: 'amber', more: 0 });
  });
  it('is calm only when something can be said of the hour that comes', () => {
    expect(of(quiet(), quiet({ colour: 'unknown', suppressed: true })).kind).toBe('calm');
    expect(of(quiet({ coming: [] })).kind).toBe('blind');
  });
});
