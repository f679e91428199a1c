import { describe, expect, it } from 'vitest';
import { en } from './en';
import { fill } from './index.svelte';
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
