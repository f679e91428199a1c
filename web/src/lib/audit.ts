/** The audit from its newest line back, while the server gives it from its oldest line on. */
import { getAudit } from '$lib/api/client';
import type { AuditPage, AuditRecord } from '$lib/api/types';

type Ask = (after: number, limit: number) => Promise<AuditPage>;
/** How many lines are asked for at once. */
export const BLOCK = 1000;

/** The number of the last line: doubles until beyond it, then halves the gap. Some thirty small questions at most. */
export async function lastSequence(ask: Ask = getAudit): Promise<number> {
  // With a limit of one, `next` says that there was a line, also one that the reader may not see.
  const next = async (after: number) => (await ask(after, 1)).next ?? null;
  let known = await next(0);
  if (known === null) return 0;
  let beyond = Math.max(BLOCK, known * 2);
  for (let found = await next(beyond); found !== null; found = await next(beyond)) {
    known = found;
    beyond = known * 2;
  }
  while (beyond - known > 1) {
    const middle = Math.floor((known + beyond) / 2);
    const found = await next(middle);
    if (found === null) beyond = middle;
    else known = found;
  }
  // The halving ends where nothing comes after `beyond`; the line with that number itself is then the last.
  return (await next(beyond - 1)) ?? known;
}

/** Up to `BLOCK` lines before the line `before`, the newest first, and where to go on. */
export async function blockBefore(
  before: number,
  ask: Ask = getAudit,
): Promise<{ records: AuditRecord[]; from: number }> {
  const from = Math.max(0, before - BLOCK - 1);
  const { records } = await ask(from, BLOCK);
  return { records: records.filter(({ sequence }) => sequence < before).reverse(), from: from + 1 };
}

/** The number of the first line that does not fit its neighbour, and how many were compared. Newest first. */
export function checkChain(records: AuditRecord[]): { checked: number; broken: number | null } {
  let checked = 0;
  for (const [place, record] of records.entries()) {
    const older = records[place + 1];
    if (!older || older.sequence !== record.sequence - 1) continue;
    checked += 1;
    if (older.hash !== record.previousHash) return { checked, broken: record.sequence };
  }
  return { checked, broken: null };
}

/** What the server writes for who or what has no name of its own; with spaces, which no account's name has. */
const NAMELESS: Record<string, string> = {
  'command line': 'audit.who.commandLine',
  'an unknown account': 'audit.who.unknownAccount',
};

/** The message for a subject or resource that is not a name; null for a name. */
export function nameless(text: string, { reason }: Pick<AuditRecord, 'reason'>): string | null {
  // An account may be called "anonymous" too: it then acts by a role.
  if (text === 'anonymous') return reason.startsWith('a role ') ? null : 'audit.who.anonymous';
  return NAMELESS[text] ?? null;
}

/** From the oldest to the newest moment of some lines; null when there are none. */
export function periodOf(records: Pick<AuditRecord, 'at'>[]): { from: string; to: string } | null {
  const times = records.map(({ at }) => at).sort((a, b) => Date.parse(a) - Date.parse(b));
  const [from, to] = [times[0], times[times.length - 1]];
  return from && to ? { from, to } : null;
}
