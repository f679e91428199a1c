import { describe, expect, it } from 'vitest';
import { midnights, readable } from './time-marks';

const at = (text: string) => Date.parse(text);

describe('midnights', () => {
  it('are on the clock of the city', () => {
    const found = midnights(at('2026-08-20T11:00:00Z'), at('2026-08-22T23:00:00Z'), 'Europe/Amsterdam');
    expect(found).toEqual([at('2026-08-20T22:00:00Z'), at('2026-08-21T22:00:00Z'), at('2026-08-22T22:00:00Z')]);
  });
  it('come once a day also where the clock is moved', () => {
    const [from, to] = [at('2025-08-31T11:00:00Z'), at('2025-11-30T11:00:00Z')];
    expect(midnights(from, to, 'Pacific/Auckland')).toHaveLength(91);
  });
});

describe('marks below the line', () => {
  const [from, to] = [at('2025-08-31T12:00:00Z'), at('2025-11-30T11:00:00Z')];
  const days = midnights(from, to, 'Pacific/Auckland');
  it.each([90, 300, 720, 1400])('never stand over each other or run out of it: %i pixels', (width) => {
    const pixels = readable(days, from, to, width, 64).map((day) => ((day - from) / (to - from)) * width);
    expect(pixels.length).toBeGreaterThan(0);
    pixels.forEach((left, place) => {
      expect(left + 64).toBeLessThanOrEqual(width);
      if (place) expect(left - (pixels[place - 1] ?? 0)).toBeGreaterThanOrEqual(64);
    });
  });
  it('are all days when there is room', () => {
    const few = days.slice(0, 3);
    expect(readable(few, from, few[2]! + 86_400_000, 720, 64)).toEqual(few);
  });
  it('are none when not even one fits', () => {
    expect(readable(days, from, to, 40, 64)).toEqual([]);
  });
});
