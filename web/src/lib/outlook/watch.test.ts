import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ForecastSet } from './types';
import { SetWatch } from './watch.svelte';

const set = { id: 'mensen', state: 'none' } as ForecastSet;
const HALF_MINUTE_MS = 30_000;

describe('keeping an eye on a set', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('document', { visibilityState: 'visible' });
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(JSON.stringify([set]))));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('asks what the page asks beside it every half minute, until it is stopped', async () => {
    const beside = vi.fn(() => Promise.resolve());
    const stop = new SetWatch().start(set, () => undefined, beside);
    await vi.advanceTimersByTimeAsync(2 * HALF_MINUTE_MS);
    expect(beside.mock.calls).toEqual([['mensen'], ['mensen']]);
    stop();
    await vi.advanceTimersByTimeAsync(2 * HALF_MINUTE_MS);
    expect(beside).toHaveBeenCalledTimes(2);
  });
  it('says that the line is lost while that fails, and no longer when it comes back', async () => {
    const watch = new SetWatch();
    const beside = vi.fn(() => Promise.resolve()).mockRejectedValueOnce(new Error('no'));
    const stop = watch.start(set, () => undefined, beside);
    await vi.advanceTimersByTimeAsync(HALF_MINUTE_MS);
    expect(watch.lost).toBe(true);
    await vi.advanceTimersByTimeAsync(HALF_MINUTE_MS);
    expect(watch.lost).toBe(false);
    stop();
  });
});
