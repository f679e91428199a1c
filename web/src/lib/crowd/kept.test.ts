import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '$lib/api/client';
import { forget, keep, orKept, recall } from './kept';

/** The browser's store, as far as it is used here. */
function fakeCaches() {
  const all = new Map<string, Map<string, Response>>();
  return {
    open: async (name: string) => {
      const found = all.get(name) ?? new Map<string, Response>();
      all.set(name, found);
      return {
        put: async (address: string, response: Response) => void found.set(address, response),
        match: async (address: string) => found.get(address)?.clone(),
      };
    },
    keys: async () => [...all.keys()],
    delete: async (name: string) => all.delete(name),
  };
}
const lost = () => Promise.reject(new ApiError(0, 'unreachable'));

describe('what this device last saw', () => {
  beforeEach(() => vi.stubGlobal('caches', fakeCaches()));
  afterEach(() => vi.unstubAllGlobals());

  it('is there with when it was seen', async () => {
    await keep('/a', { n: 1 }, 1234);
    expect(await recall('/a')).toEqual({ value: { n: 1 }, at: 1234 });
    expect(await recall('/b')).toBeNull();
  });
  it('stands in when nobody answers, and not when the server says no', async () => {
    expect(await orKept('/a', Promise.resolve(1))).toBe(1);
    await vi.waitFor(async () => expect(await recall('/a')).not.toBeNull());
    expect(await orKept('/a', lost())).toBe(1);
    await expect(orKept('/a', Promise.reject(new ApiError(403, 'no')))).rejects.toThrow('no');
    await expect(orKept('/b', lost())).rejects.toThrow('unreachable');
  });
  it('is gone when somebody signs out', async () => {
    await keep('/a', 1);
    await forget();
    expect(await recall('/a')).toBeNull();
  });
  it('is nothing in a browser that cannot keep it', async () => {
    vi.unstubAllGlobals();
    await keep('/a', 1);
    expect(await recall('/a')).toBeNull();
    await forget();
  });
});
