import { beforeAll, describe, expect, it } from 'vitest';
import type { City } from '$lib/api/types';
import { app } from '$lib/state/app.svelte';
import { answered, changeOf, markOf, mostChanged, ordered } from './nowcast';
import type { Nowcast, NowcastSeries } from './types';
import { figuresOf, latestWords, nowcastCsv, summaryWords, untilWords } from './nowcast-words';
import { reasonWords } from './words';

beforeAll(() => {
  app.city = { timeZone: 'Europe/Amsterdam' } as City;
});

const saidAt = '2026-03-16T12:05:00Z';
const latest = (count?: number) => ({
  from: '2026-03-16T11:50:00Z',
  until: saidAt,
  ...(count === undefined ? {} : { count }),
  suppressed: count === undefined,
});
/** Counted in the last quarter of an hour, and expected of the next: middle with a band of a fifth to each side. */
const place = (
  id: string,
  was: number | undefined,
  p50: number,
  change: Partial<NowcastSeries> = {},
): NowcastSeries => ({
  id,
  kind: 'series',
  name: { nl: id, en: id },
  latest: latest(was),
  ahead: [{ minutes: 15, p10: p50 * 0.8, p50, p90: p50 * 1.2, suppressed: false }],
  ...change,
});
const nowcast = (series: NowcastSeries[], change: Partial<Nowcast> = {}): Nowcast => ({
  set: 'mensen',
  kind: 'count',
  now: '2026-03-16T12:07:00Z',
  saidAt,
  stepMinutes: 5,
  minimumCount: 10,
  quality: [],
  series,
  ...change,
});
const silent = place('brug', undefined, 0, {
  ahead: [],
  reason: { code: 'too_few_counts', values: { have: 1, needed: 3 }, detail: '' },
});

describe('the next quarter of an hour beside the last', () => {
  it('is about the same while the last lies within the band, also on its edge', () => {
    expect(changeOf(place('a', 100, 110))?.direction).toBe('same');
    expect(changeOf(place('a', 80, 100))?.direction).toBe('same');
    expect(changeOf(place('a', 120, 100))?.direction).toBe('same');
  });
  it('rises or falls when the last lies outside the band', () => {
    expect(changeOf(place('a', 79, 100))).toEqual({ direction: 'rises', from: 79, to: 100 });
    expect(changeOf(place('a', 121, 100))?.direction).toBe('falls');
  });
  it('cannot rise above a lower edge that is too small to be told', () => {
    const few = place('a', 10, 14, { ahead: [{ minutes: 15, p50: 14, p90: 20, suppressed: false }] });
    expect(changeOf(few)?.direction).toBe('same');
  });
  it('is not compared when one of them is kept back or not known', () => {
    expect(changeOf(place('a', undefined, 100))).toBeNull();
    expect(changeOf(place('a', 100, 0, { ahead: [{ minutes: 15, suppressed: true }] }))).toBeNull();
    expect(changeOf(place('a', 100, 100, { ahead: [] }))).toBeNull();
    expect(changeOf({ ahead: place('a', 1, 100).ahead })).toBeNull();
  });
});

describe('where it changes most', () => {
  it('is the place that rises most times over by more than its band, before any that falls', () => {
    const found = mostChanged(nowcast([place('a', 100, 10), place('b', 200, 300), place('c', 20, 60)]));
    expect(found).toMatchObject({ series: { id: 'c' }, change: { direction: 'rises' } });
  });
  it('is the place that falls most when none rises', () => {
    expect(mostChanged(nowcast([place('a', 200, 100), place('b', 100, 20), place('c', 50, 50)]))).toMatchObject({
      series: { id: 'b' },
    });
  });
  it('is nowhere when all lie within their bands, and not known when nothing can be compared', () => {
    expect(mostChanged(nowcast([place('a', 100, 105)]))).toBe('none');
    expect(mostChanged(nowcast([silent, place('a', undefined, 100)]))).toBeNull();
  });
});

describe('the order of the table', () => {
  const all = [place('a', 100, 100), silent, place('b', 50, 150), place('c', 900, 700)];
  const ids = (series: NowcastSeries[]) => series.map(({ id }) => id);
  it('is that of the server, or what rises most or is busiest first, and who has no number last', () => {
    expect(ids(ordered(all, 'places'))).toEqual(['a', 'brug', 'b', 'c']);
    expect(ids(ordered(all, 'rising'))).toEqual(['b', 'a', 'c', 'brug']);
    expect(ids(ordered(all, 'busiest'))).toEqual(['c', 'b', 'a', 'brug']);
    expect(ids(all)).toEqual(['a', 'brug', 'b', 'c']);
  });
});

describe('the picture', () => {
  it('has the band, the middle and the last quarter of an hour on one scale', () => {
    const mark = markOf(place('a', 240, 100));
    expect(mark?.last).toBeLessThan(1);
    expect(mark && mark.low < mark.middle && mark.middle < mark.high && mark.high < mark.last).toBe(true);
  });
  it('is not drawn of what is not told, nor of nobody', () => {
    expect(markOf(place('a', undefined, 100))).toBeNull();
    expect(markOf(place('a', 0, 0))).toBeNull();
  });
});

describe('in words', () => {
  it('it says as of when, for how many places, and where it rises most', () => {
    const all = nowcast([place('Markt', 230, 310), place('Kade', 100, 100), silent]);
    expect(answered(all)).toHaveLength(2);
    const words = summaryWords(all);
    expect(words).toMatch(/^Dit verwachten we voor 2 van de 3 plekken, met tellingen tot .*13:05\./);
    expect(words).toContain('Het sterkst stijgt Markt: van 230 in het laatste kwartier naar ongeveer 310');
  });
  it('it says that nothing changes, and nothing about change when nothing can be compared', () => {
    expect(summaryWords(nowcast([place('a', 100, 100)]))).toContain('Nergens verandert het meer dan de band.');
    expect(summaryWords(nowcast([silent]))).not.toContain('band');
    expect(summaryWords(nowcast([place('a', 100, 50)]))).toContain('Het sterkst daalt a');
  });
  it('the last quarter of an hour is a number, kept back, or not known', () => {
    expect(latestWords({ latest: latest(1230) })).toBe('1.230');
    expect(latestWords({ latest: latest() })).toBe('te weinig om te tonen');
    expect(latestWords({})).toBe('geen gegevens');
  });
  it('each reason says its numbers', () => {
    expect(reasonWords({ code: 'step', values: { minutes: 60 }, detail: '' })).toContain('om de 60 minuten');
    expect(reasonWords({ code: 'too_little_past', values: { have: 40, needed: 1000 }, detail: '' })).toBe(
      'Er zijn nu 40 momenten om van te leren. Voor het komende uur zijn 1.000 momenten nodig.',
    );
    expect(reasonWords(silent.reason)).toContain('is 1 keer geteld. Dat moet minstens 3 keer zijn.');
  });
  it('an hour ahead ends an hour after the last count', () => {
    expect(untilWords(saidAt, 60)).toBe('tot 14:05');
  });
});

describe('how good it was', () => {
  const figure = { minutes: 15, moments: 4123, wape: 0.18, baselineWape: 0.21 };
  it('is how far off it was beside the rule that the last half hour goes on, nearest first', () => {
    const [first, second] = figuresOf([
      { ...figure, minutes: 60, wape: 0.3 },
      { ...figure, coverage: 0.81 },
    ]);
    expect(first).toMatchObject({ lead: 15, verdict: 'better' });
    expect(first?.off).toMatch(/^Het volgende kwartier: 18\s% ernaast\.$/);
    expect(first?.against).toMatch(/21\s% ernaast\.$/);
    expect(first?.inside).toMatch(/^81\s% lag binnen de band; /);
    expect(second).toMatchObject({ lead: 60, verdict: 'worse', inside: '' });
  });
  it('says nothing of what was not scored, or of other minutes', () => {
    expect(
      figuresOf([
        { ...figure, moments: 0 },
        { ...figure, minutes: 45 },
      ]),
    ).toEqual([]);
  });
});

describe('the coming hour as a file', () => {
  it('has a line for each place, and leaves empty what is not known or not told', () => {
    const [head, first, second, end] = nowcastCsv(nowcast([place('Kade, noord', 230, 310), silent])).split('\r\n');
    expect(head?.split(',')).toHaveLength(14);
    expect(first).toBe('"Kade, noord",2026-03-16T11:50:00Z,2026-03-16T12:05:00Z,230,310,248,372,,,,,,,stijgt');
    expect(second).toBe('brug,2026-03-16T11:50:00Z,2026-03-16T12:05:00Z,,,,,,,,,,,');
    expect(end).toBe('');
  });
});
