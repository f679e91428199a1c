import { describe, expect, it } from 'vitest';
import { addressOf, isAmiss, keyOf, tally, type Delivery } from './post';

const delivery = (state: Delivery['state'], attempts: number) => ({ state, attempts }) as Delivery;

describe('a recipient', () => {
  it('gets a key of its function that nobody has yet', () => {
    expect(keyOf('Officier van dienst (politie)', [])).toBe('officier-van-dienst-politie');
    expect(keyOf('Café', ['cafe', 'cafe-2'])).toBe('cafe-3');
    expect(keyOf('!', [])).toBe('ontvanger');
  });
  it('has an address of its channel, without an empty secret', () => {
    expect(addressOf('webhook', ' https://example.org/a ', '')).toEqual({
      channel: 'webhook',
      url: 'https://example.org/a',
    });
    expect(addressOf('webhook', 'https://example.org', 'meldkamer')).toHaveProperty('secret', 'meldkamer');
    expect(addressOf('mqtt', 'meldkamer', 'x')).toEqual({ channel: 'mqtt', topic: 'meldkamer' });
  });
});

describe('deliveries', () => {
  it('are counted, and one that failed or is tried again asks for attention', () => {
    const all = [delivery('delivered', 1), delivery('waiting', 0), delivery('failed', 1)];
    expect(tally(all)).toEqual({ delivered: 1, waiting: 1, failed: 1 });
    expect(isAmiss(all)).toBe(true);
    expect(isAmiss([delivery('delivered', 3), delivery('waiting', 0)])).toBe(false);
    expect(isAmiss([delivery('waiting', 1)])).toBe(true);
  });
});
