import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '$lib/api/types';
import { BLOCK, blockBefore, checkChain, lastSequence, nameless, periodOf } from './audit';

const record = (sequence: number): AuditRecord => ({
  sequence,
  tenant: '_server',
  at: '2026-08-21T10:00:00Z',
  subject: 'els',
  action: 'user.add',
  resource: 'rob',
  outcome: 'done',
  reason: 'a role of the account',
  detail: {},
  previousHash: String(sequence - 1),
  hash: String(sequence),
});
/** As the server: oldest first, `next` when the answer is full. */
const server = (total: number) => async (after: number, limit: number) => {
  const records = Array.from({ length: Math.max(0, Math.min(limit, total - after)) }, (_, i) => record(after + i + 1));
  return records.length === limit ? { records, next: after + limit } : { records };
};

describe('the last line of the audit', () => {
  it.each([0, 1, 2, 7, 999, 1000, 1001, 1999, 2000, 2001, 54_321])('of %i lines is found', async (total) => {
    expect(await lastSequence(server(total))).toBe(total);
  });
});

describe('a block of the audit', () => {
  it('goes back from a line, the newest first', async () => {
    const { records, from } = await blockBefore(2501, server(2500));
    expect([records[0]?.sequence, records.length, from]).toEqual([2500, BLOCK, 1501]);
  });
  it('ends at the first line', async () => {
    const { records, from } = await blockBefore(8, server(2500));
    expect(records.map(({ sequence }) => sequence)).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(from).toBe(1);
  });
});

describe('the chain', () => {
  const lines = [record(3), record(2), record(1)];
  it('holds when each line points to the one before it', () => {
    expect(checkChain(lines)).toEqual({ checked: 2, broken: null });
  });
  it('says where it is broken', () => {
    expect(checkChain([record(3), { ...record(2), hash: 'other' }, record(1)]).broken).toBe(3);
  });
  it('says nothing of lines that are not neighbours', () => {
    expect(checkChain([record(9), record(2)])).toEqual({ checked: 0, broken: null });
  });
});

describe('who', () => {
  it('is said in words when it has no name', () => {
    expect(nameless('command line', record(1))).toBe('audit.who.commandLine');
    expect(nameless('els', record(1))).toBeNull();
  });
  it('is not said of an account that is called anonymous', () => {
    expect(nameless('anonymous', { reason: 'wrong name or password' })).toBe('audit.who.anonymous');
    expect(nameless('anonymous', { reason: 'a role of the account' })).toBeNull();
  });
});

describe('the period of some lines', () => {
  it('goes from the oldest to the newest, also when a clock was set back', () => {
    const at = (hour: string) => ({ at: `2026-08-21T${hour}:00:00Z` });
    expect(periodOf([at('12'), at('14'), at('09')])).toEqual({ from: at('09').at, to: at('14').at });
    expect(periodOf([])).toBeNull();
  });
});
