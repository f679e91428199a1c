import { describe, expect, it } from 'vitest';
import { featureProblems, readGeoJson } from './files';

describe('files of plans', () => {
  it('reads features and refuses what has none', () => {
    expect(readGeoJson('{"type":"FeatureCollection","features":[{}]}').features).toHaveLength(1);
    expect(() => readGeoJson('{"type":"Feature"}')).toThrow(SyntaxError);
    expect(() => readGeoJson('null')).toThrow(SyntaxError);
    expect(() => readGeoJson('kade;1;2')).toThrow(SyntaxError);
  });

  it('finds what is wrong with each feature, and nothing where the answer is about something else', () => {
    const one = { feature: 2, thing: 'widthM', detail: '0 is not an amount', remedy: 'use a number above 0' };
    expect(featureProblems({ problems: [one] })).toEqual([one]);
    expect(featureProblems({ detail: 'no' })).toEqual([]);
  });
});
