import { describe, expect, it } from 'vitest';
import { alert, area, point } from './fixtures.test-data';
import {
  ahead,
  bandPath,
  extended,
  isBehind,
  levelsOf,
  linePath,
  lineOf,
  redPersons,
  sample,
  stretches,
  ticks,
  topOf,
  type Frame,
} from './timeline';
import type { Area, AreaReport, Picture, Report } from './types';

const start = Date.UTC(2026, 6, 1, 20);
const frame: Frame = { width: 100, height: 50, from: start, until: start + 10 * 60_000, top: 100 };

describe('a line over time', () => {
  it('runs from left to right and from the bottom up', () => {
    expect(linePath(frame, [point(0, 0), point(10, 100)])).toBe('M0 50L100 0');
  });
  it('is broken where nothing is known, and never drawn as zero', () => {
    const path = linePath(frame, [point(0, 50), point(1, 50), point(2, null), point(3, 50)]);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).not.toContain(' 50L20 50');
  });
  it('has a band only where both edges are known', () => {
    const points = [point(0, 50), point(1, 50), point(2, 50, { low: null })];
    expect(bandPath(frame, points)).toBe('M0 20L10 20L10 30L0 30Z');
  });
});

describe('stretches of one colour', () => {
  it('are joined while the colour stays', () => {
    const red = { colour: 'red' } as const;
    const found = stretches([point(0, 1), point(1, 1), point(2, 1, red)], 60);
    expect(found.map(({ colour, from, until }) => [colour, (from - start) / 60_000, (until - start) / 60_000])).toEqual(
      [
        ['green', 0, 2],
        ['red', 2, 4],
      ],
    );
  });
  it('do not go on through a silence', () => {
    expect(stretches([point(0, 1), point(9, 1)], 60).map(({ until }) => (until - start) / 60_000)).toEqual([2, 11]);
  });
});

describe('what is expected', () => {
  const now = '2026-07-01T20:00:00Z';
  it('goes on from now', () => {
    expect(ahead(area(), now).map(({ at, value }) => [at.slice(11, 16), value])).toEqual([
      ['20:00', 400],
      ['20:15', 620],
      ['20:30', 810],
    ]);
  });
  it('is nothing when now or the coming hour is unknown', () => {
    expect(ahead(area({ occupancy: undefined }), now)).toEqual([]);
    expect(ahead(area({ coming: [] }), now)).toEqual([]);
    expect(ahead(undefined, now)).toEqual([]);
  });
});

describe('the scales', () => {
  const line = {
    key: 'kade',
    name: 'Kade',
    capacityPersons: 1000,
    amberPersons: 600,
    redPersons: 800,
    points: [point(0, 100)],
  };
  it('reach above red, and above all that is drawn', () => {
    expect(topOf(line)).toBeCloseTo(864);
    expect(topOf({ ...line, points: [point(0, 2000)] })).toBeGreaterThan(2010);
    expect(topOf({ ...line, redPersons: null, points: [] })).toBeCloseTo(1080);
  });
  it('have ticks on whole moments, no more than fit', () => {
    const found = ticks(start + 60_000, start + 3 * 3_600_000, 6);
    expect(found.length).toBeLessThanOrEqual(7);
    expect(found.every((at) => at % 1_800_000 === 0)).toBe(true);
  });
  it('have a table with the last point in it', () => {
    expect(sample([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([1, 4, 7]);
    expect(sample([1, 2], 5)).toEqual([1, 2]);
    expect(sample([], 5)).toEqual([]);
  });
});

describe('red', () => {
  const body = { surfaceM2: 500, capacityPersons: 1000 } as Area;
  it('is where the plan says so: at the lowest of its thresholds', () => {
    expect(redPersons({ ...body, redDensityM2: 3, redShare: 0.9 })).toBe(900);
    expect(redPersons({ ...body, redDensityM2: 1 })).toBe(500);
  });
  it('is not drawn when the plan leaves it to the literature', () => {
    expect(redPersons(body)).toBeNull();
  });
});

describe('a new picture', () => {
  const line: AreaReport = {
    key: 'kade',
    name: 'Kade',
    capacityPersons: 1000,
    minutes: { green: 1, amber: 0, red: 0, unknown: 0 },
    points: [{ at: '2026-07-01T20:00:00Z', persons: 100, sd: 10, colour: 'green' }],
  };
  const report = { areas: [line], alerts: [], decisions: [] } as unknown as Report;
  const picture = (at: string, change = {}) =>
    ({ at, areas: [area(change)], attention: [alert({ id: 7 })] }) as unknown as Picture;
  const points = (of: Report) => lineOf(of.areas[0]!, []).points;

  it('is the newest minute of the timeline, once', () => {
    const next = extended(report, picture('2026-07-01T20:01:00Z'));
    expect(points(next).map(({ value }) => value)).toEqual([100, 400]);
    expect(points(extended(next, picture('2026-07-01T20:01:00Z')))).toHaveLength(2);
    expect(report.areas[0]?.points).toHaveLength(1);
  });
  it('of which nothing is known leaves a gap', () => {
    const next = extended(report, picture('2026-07-01T20:01:00Z', { occupancy: undefined, colour: 'unknown' }));
    expect(points(next).at(-1)).toMatchObject({ value: null, low: null, colour: 'unknown' });
  });
  it('is behind when minutes are missing before it', () => {
    expect(isBehind(report, '2026-07-01T20:01:00Z')).toBe(false);
    expect(isBehind(report, '2026-07-01T20:02:00Z')).toBe(true);
    expect(isBehind({ ...report, areas: [] }, '2026-07-01T20:02:00Z')).toBe(false);
  });
  it('brings its new alerts, each once', () => {
    const next = extended(report, picture('2026-07-01T20:01:00Z'));
    expect(extended(next, picture('2026-07-01T20:02:00Z')).alerts).toHaveLength(1);
  });
});

describe('the levels of a scale', () => {
  it('are round, start at nothing and reach near the top', () => {
    expect(levelsOf(17_600)).toEqual([0, 5000, 10_000, 15_000]);
    expect(levelsOf(1)).toEqual([0, 0.5, 1]);
    expect(levelsOf(950)).toEqual([0, 250, 500, 750]);
  });
});
