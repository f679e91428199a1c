import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Closings, UNDO_MS } from './closing.svelte';

describe('closing an alert', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const start = () => {
    const sent: [number, string][] = [];
    return { sent, closings: new Closings(async (id, reason) => sent.push([id, reason])) };
  };

  it('happens after a few seconds in which it can be taken back', () => {
    const { sent, closings } = start();
    closings.add(3, 'weg');
    expect(closings.all[3]?.reason).toBe('weg');
    vi.advanceTimersByTime(UNDO_MS - 1);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual([[3, 'weg']]);
    expect(closings.all).toEqual({});
  });
  it('does not happen when it is taken back', () => {
    const { sent, closings } = start();
    closings.add(3, 'vergissing');
    closings.undo(3);
    vi.advanceTimersByTime(UNDO_MS * 2);
    expect(sent).toEqual([]);
  });
  it('happens at once when the screen goes away', () => {
    const { sent, closings } = start();
    closings.add(3, 'een');
    closings.add(4, 'twee');
    closings.flush();
    vi.advanceTimersByTime(UNDO_MS * 2);
    expect(sent).toEqual([
      [3, 'een'],
      [4, 'twee'],
    ]);
  });
});
