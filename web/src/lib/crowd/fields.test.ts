import { describe, expect, it } from 'vitest';
import { emptyBody, fieldsOf, keyFor, measureFields, missing, pruned, read, write } from './fields';
import { partKinds } from './types';

const names = (all: { name: string }[]) => all.map(({ name }) => name);

describe('keys of new things', () => {
  it('are made of the name and never taken twice', () => {
    expect(keyFor('Café Noord & Zuid!', [])).toBe('cafe-noord-zuid');
    expect(keyFor('Kade', ['kade', 'kade-2'])).toBe('kade-3');
    expect(keyFor('???', [])).toBe('x');
    expect(keyFor('a'.repeat(80), [])).toMatch(/^a{40}$/);
  });
});

describe('values at a path', () => {
  it('are written without touching what was there', () => {
    const body = { counter: { entity: 'urn:x' } };
    const next = write(body, 'counter.inAttribute', 'in');
    expect(read(next, 'counter.inAttribute')).toBe('in');
    expect(body).toEqual({ counter: { entity: 'urn:x' } });
  });
  it('are gone when they are taken away, with the group that is then empty', () => {
    expect(write({ counter: { entity: 'urn:x' } }, 'counter.entity', undefined)).toEqual({});
  });
  it('keep null, which means outside', () => {
    expect(write({}, 'from', null)).toEqual({ from: null });
  });
});

describe('forms', () => {
  it('ask for a threat of a barrier that prevents, and for a consequence of one that recovers', () => {
    expect(names(fieldsOf('barrier', { side: 'prevent' }))).toContain('threat');
    expect(names(fieldsOf('barrier', { side: 'recover' }))).not.toContain('threat');
    expect(pruned('barrier', { side: 'recover', threat: 'rain' })).toEqual({ side: 'recover' });
  });
  it('ask of a measure what its kind needs, and always when', () => {
    expect(names(measureFields(['gate', 'perMin']))).toEqual(['gate', 'perMin', 'from', 'until']);
    expect(names(measureFields(['gate', 'from', 'magic']))).toEqual(['gate', 'from', 'until']);
    expect(names(fieldsOf('measure', {}, ['area']))).toEqual([
      'name',
      'measure.kind',
      'measure.area',
      'measure.from',
      'measure.until',
    ]);
  });
  it('say what is still to fill in; zero is an answer', () => {
    const all = fieldsOf('programme', {});
    const body = { name: 'Vuurwerk', area: 'kade', from: 'x', until: 'y', visitorsExpected: 10, arrivalMinBefore: 0 };
    expect(missing(all, body)).toEqual([]);
    expect(names(missing(all, { ...body, name: '' }))).toEqual(['name']);
  });
  it('start for every kind with a name to fill in', () => {
    for (const kind of partKinds) {
      const body = emptyBody(kind, '2026-07-01T18:00:00Z', '2026-07-01T23:00:00Z');
      expect(names(missing(fieldsOf(kind, body), body)), kind).toContain('name');
    }
  });
});
