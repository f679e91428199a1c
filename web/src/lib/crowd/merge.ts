/**
 * Two people change the same thing of the plan. What only one of them touched is taken over; what both touched is a
 * choice for the person who saves last.
 */
import type { Body } from './types';

export type Side = 'mine' | 'theirs';
export interface Difference {
  field: string;
  mine: unknown;
  theirs: unknown;
  /** What we would keep: who touched it; mine when both did, because I am the one who is saving. */
  proposed: Side;
  /** Whether both touched it, each in another way. */
  both: boolean;
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Fields in which mine and theirs are not the same, given what both started from. */
export function differences(base: Body, mine: Body, theirs: Body): Difference[] {
  const fields = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  return fields
    .filter((field) => !same(mine[field], theirs[field]))
    .map((field) => {
      const [iDid, theyDid] = [!same(base[field], mine[field]), !same(base[field], theirs[field])];
      const proposed: Side = iDid ? 'mine' : 'theirs';
      return { field, mine: mine[field], theirs: theirs[field], proposed, both: iDid && theyDid };
    });
}

/** Theirs, with the fields that were chosen from mine. */
export function merged(theirs: Body, differing: Difference[], choices: Record<string, Side>): Body {
  const body = { ...theirs };
  for (const { field, mine, proposed } of differing) {
    if ((choices[field] ?? proposed) === 'theirs') continue;
    if (mine === undefined) delete body[field];
    else body[field] = mine;
  }
  return body;
}
