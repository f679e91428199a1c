import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { luminance } from '$lib/map/colour';
import { colours, known, looks, originOf, seen, spread, worstFirst } from './colours';
import { area } from './fixtures.test-data';

const css = readFileSync('src/app.css', 'utf8');
const contrast = (a: string, b: string) => {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

describe('colours of risk', () => {
  it('differ in pattern, and in lightness, so that nobody depends on the hue', () => {
    expect(new Set(colours.map((one) => looks[one].pattern)).size).toBe(colours.length);
    for (const [a, b] of [
      ['green', 'amber'],
      ['amber', 'red'],
      ['green', 'red'],
      ['amber', 'unknown'],
    ] as const) {
      expect(contrast(looks[a].fill, looks[b].fill), `${a} beside ${b}`).toBeGreaterThan(1.5);
    }
  });
  it('carry ink that is readable (WCAG AA)', () => {
    for (const one of colours) expect(contrast(looks[one].fill, looks[one].ink), one).toBeGreaterThan(4.5);
  });
  it('are the same on the map and in the style sheet', () => {
    for (const one of colours) {
      const rule = new RegExp(`\\.crowd-${one} \\{[^}]*background-color: (#[0-9a-f]{6})`).exec(css);
      expect(rule?.[1], one).toBe(looks[one].fill);
    }
  });
  it('are unknown when we do not know them, and never green', () => {
    for (const odd of [null, undefined, '', 'purple', 'GREEN']) expect(known(odd)).toBe('unknown');
  });
});

describe('what is seen of an area', () => {
  it('is its colour of now, or the one that is expected', () => {
    expect(seen(area(), 0)).toMatchObject({ colour: 'green', persons: 400, low: 336, high: 464, densityM2: 0.8 });
    expect(seen(area(), 30)).toMatchObject({ colour: 'red', persons: 810, probabilityRed: 0.7, densityM2: null });
  });
  it('is unknown for a moment of which nothing is said, and has no number', () => {
    expect(seen(area(), 60)).toEqual({
      colour: 'unknown',
      densityM2: null,
      persons: null,
      low: null,
      high: null,
      probabilityRed: null,
    });
    expect(seen(area({ colour: 'unknown', occupancy: undefined }), 0)).toMatchObject({ persons: null, low: null });
  });
  it('has the worst first: red, then what nobody can see, then amber, then green by how full', () => {
    const areas = [
      area({ name: 'leeg', occupancy: { value: 100, sd: 9 } }),
      area({ name: 'oranje', colour: 'amber' }),
      area({ name: 'blind', colour: 'unknown', occupancy: undefined }),
      area({ name: 'vol', occupancy: { value: 900, sd: 9 } }),
      area({ name: 'rood', colour: 'red' }),
    ];
    expect(worstFirst(areas, 0).map(({ name }) => name)).toEqual(['rood', 'blind', 'oranje', 'vol', 'leeg']);
    expect(areas[0]?.name).toBe('leeg');
  });
});

describe('how a value came to be', () => {
  it('is simulated in a rehearsal, whatever else is said', () => {
    expect(originOf(area(), true)).toBe('simulated');
    expect(originOf(area({ made: ['conservation', 'simulated'] }), false)).toBe('simulated');
  });
  it('is measured only when it was counted in the area itself', () => {
    expect(originOf(area({ made: ['area-count'] }), false)).toBe('measured');
    expect(originOf(area({ made: ['area-count', 'bridged'] }), false)).toBe('estimated');
    expect(originOf(area({ made: [] }), false)).toBe('estimated');
    expect(originOf(area({ occupancy: undefined }), true)).toBe('unknown');
  });
});

describe('a band', () => {
  it('holds eight of ten, never goes below nobody, and is not there without an uncertainty', () => {
    expect(spread({ value: 400, sd: 50 })).toEqual({ persons: 400, low: 336, high: 464 });
    expect(spread({ value: 10, sd: 50 }).low).toBe(0);
    expect(spread({ value: 10 })).toEqual({ persons: 10, low: null, high: null });
    expect(spread(undefined)).toEqual({ persons: null, low: null, high: null });
  });
});
