import { describe, expect, it } from 'vitest';
import { aboutAll, chosenSet } from './load';
import type { ForecastSet } from './types';
import { isRenewed } from './watch.svelte';

const model = { id: 'm', trainedAt: '', trainedUntil: '' };
const set = (id: string, change: Partial<ForecastSet> = {}): ForecastSet => ({
  id,
  title: { nl: id, en: id },
  kind: 'count',
  state: 'none',
  now: '2026-01-05T00:00:00Z',
  minimumCount: 10,
  horizonHours: 168,
  notices: [],
  quality: [],
  series: [],
  ...change,
});

describe('the set to show', () => {
  it('is the one of the address, else the first with a model, else the first', () => {
    const sets = [set('a'), set('b', { model })];
    expect(chosenSet(sets, 'a')?.id).toBe('a');
    expect(chosenSet(sets, null)?.id).toBe('b');
    expect(chosenSet([set('a')], 'gone')?.id).toBe('a');
    expect(chosenSet([], null)).toBeNull();
  });
});

describe('a notice of the city', () => {
  it('stands with a forecast when it is about all data, not when it may be about other data', () => {
    const notice = (id: string, kind: string) => ({ id, kind, text: { nl: id, en: id } });
    const found = aboutAll([notice('replay', 'replay'), notice('buildings', 'data')]);
    expect(found.map(({ id }) => id)).toEqual(['replay']);
  });
});

describe('a new forecast', () => {
  it('is one that was made at another moment or by another model, not a training that goes on', () => {
    const before = set('a', { model, saidAt: '1', state: 'ready' });
    const progress = { why: 'weekly', phase: 'learning', share: 0.5, startedAt: '' } as const;
    expect(isRenewed(before, { ...before, progress, now: '2' })).toBe(false);
    expect(isRenewed(before, { ...before, saidAt: '2' })).toBe(true);
    expect(isRenewed(before, { ...before, model: { ...model, id: 'n' } })).toBe(true);
  });
});
