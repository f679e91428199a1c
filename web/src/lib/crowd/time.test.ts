import { describe, expect, it } from 'vitest';
import { fromField, nextHour, toField } from './time';

const zone = 'Europe/Amsterdam';

describe('moments in forms', () => {
  it('are the wall clock of the city, in summer and in winter', () => {
    expect(toField('2026-07-01T20:15:00Z', zone)).toBe('2026-07-01T22:15');
    expect(toField('2026-12-31T23:30:00Z', zone)).toBe('2027-01-01T00:30');
    expect(fromField('2026-07-01T22:15', zone)).toBe('2026-07-01T20:15:00Z');
    expect(fromField('2027-01-01T00:30', zone)).toBe('2026-12-31T23:30:00Z');
  });
  it('go there and back on the days on which the clock changes', () => {
    for (const moment of [
      '2026-03-29T00:30:00Z',
      '2026-03-29T01:30:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-25T02:30:00Z',
    ]) {
      expect(fromField(toField(moment, zone), zone)).toBe(moment);
    }
  });
  it('are the first of the two in the hour that happens twice', () => {
    expect(fromField('2026-10-25T02:30', zone)).toBe('2026-10-25T00:30:00Z');
  });
  it('are nothing when nothing is filled in', () => {
    expect(fromField('', zone)).toBeUndefined();
    expect(toField(null, zone)).toBe('');
  });
  it('start at a whole hour', () => {
    expect(nextHour(Date.parse('2026-07-01T20:15:00Z'))).toBe('2026-07-01T21:00:00Z');
  });
});
