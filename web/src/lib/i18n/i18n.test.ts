import { describe, expect, it } from 'vitest';
import { en } from './en';
import { count, fill } from './index.svelte';
import { nl } from './nl';

const marks = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe('dictionaries', () => {
  it('hold the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(nl).sort());
  });
  it.each(Object.keys(nl) as (keyof typeof nl)[])('fill the same values in both languages: %s', (key) => {
    expect(marks(en[key])).toEqual(marks(nl[key]));
    expect(en[key].trim()).not.toBe('');
  });
});

describe('fill', () => {
  it('puts values in their marks and leaves unknown marks visible', () => {
    expect(fill('{n} van {total}', { n: 3 })).toBe('3 van {total}');
  });
});

describe('count', () => {
  it('says one gap, no gaps and two gaps', () => {
    expect([0, 1, 2].map((n) => count('chart.gaps', n))).toEqual(['0 gaten', '1 gat', '2 gaten']);
    expect(count('chart.readings', 1)).toBe('1 meting');
  });
});
