import { beforeAll, describe, expect, it } from 'vitest';
import type { City } from '$lib/api/types';
import { app } from '$lib/state/app.svelte';
import { weekCsv } from './csv';
import type { Week } from './types';
import { againstWords, bandWords, comparedWords, reasonWords } from './words';

beforeAll(() => {
  app.city = { timeZone: 'Europe/Amsterdam' } as City;
});

describe('in words', () => {
  it('a reason says its numbers and names, and an unknown one is told as the server tells it', () => {
    const reason = { code: 'too_little_history', values: { days: 12, needed: 28 }, detail: '12 days' };
    expect(reasonWords(reason)).toBe('Er is op 12 dagen geteld. Voor een verwachting zijn 28 dagen nodig.');
    expect(reasonWords({ code: 'other_inputs', names: ['wind', 'moon'], detail: '' })).toContain('wind, moon');
    expect(reasonWords({ code: 'new_reason', detail: 'something new' })).toBe('something new');
    expect(reasonWords(undefined)).not.toBe('');
  });
  it('a day is busier, maybe', () => {
    expect(comparedWords({ kind: 'busier', percent: 20, sure: true })).toBe('20 % drukker dan gewoonlijk');
    expect(comparedWords({ kind: 'times', times: 2.4, sure: false })).toBe('misschien 2,4 keer zo druk als gewoonlijk');
    expect(comparedWords({ kind: 'unknown' })).toBe('geen vergelijking');
  });
  it('a band has no lower number when that is too small to be told', () => {
    expect(bandWords(120, 400, 10)).toBe('120 tot 400');
    expect(bandWords(undefined, 40, 10)).toBe('< 10 tot 40');
    expect(bandWords(undefined, 40, 0)).toBe('0 tot 40');
    expect(bandWords(1, undefined, 10)).toBe('');
  });
  it('a gain over a simple rule is less off, a loss is more off', () => {
    const rule = 'seasonal_naive' as const;
    expect(againstWords({ rule, gain: 0.2 })).toMatch(/^20\s% minder ernaast dan “hetzelfde uur vorige week”$/);
    expect(againstWords({ rule, gain: -0.1 })).toMatch(/^10\s% meer ernaast/);
  });
});

describe('the week as a file', () => {
  it('has a line for each place and day, and leaves empty what is not known', () => {
    const week: Week = {
      set: 'mensen',
      now: '2026-03-16T10:00:00Z',
      minimumCount: 10,
      days: ['2026-03-16', '2026-03-17'],
      calendar: [{ date: '2026-03-17', holidays: [], lists: [{ nl: 'Marktdag', en: 'Market day' }] }],
      series: [
        {
          id: 'kade',
          kind: 'series',
          name: { nl: 'Kade, noord', en: 'Quay, north' },
          days: [
            {
              date: '2026-03-16',
              hoursCounted: 0,
              hoursForecast: 24,
              total: { p10: 900, p50: 1200, p90: 1500, bandFrom: 'record' },
              usual: 1000,
              peak: { at: '2026-03-16T13:00:00Z', p50: 160, suppressed: false },
            },
            { date: '2026-03-17', hoursCounted: 0, hoursForecast: 20 },
          ],
        },
      ],
    };
    const [, first, second, end] = weekCsv(week).split('\r\n');
    expect(first).toBe('"Kade, noord",2026-03-16,1200,900,1500,1000,misschien 20 % drukker dan gewoonlijk,14:00,');
    expect(second).toBe('"Kade, noord",2026-03-17,,,,,geen vergelijking,,Marktdag');
    expect(end).toBe('');
  });
});
