/** What a decision was expected to do beside what happened. Pure. */
import type { Decision, DecisionReport } from './types';

export interface Told {
  area: string;
  name: string;
  inMin: number;
  without: number | null;
  expected: number | null;
  /** Null when that minute has not come yet, or when nobody knows. */
  actual: number | null;
}
/** At 15, 30 and 60 minutes when the answer has those, else at every minute that it has. */
const TOLD = [15, 30, 60];

/** Less than one person is no difference that anybody sees. */
const isTouched = ({ without, expected }: Told) =>
  without !== null && expected !== null && Math.abs(expected - without) >= 1;

/** A decision that was only just taken has no outcome yet: then only what was expected is told. */
export function outcomes(decision: Decision | DecisionReport): Told[] {
  const happened = 'outcome' in decision ? decision.outcome : [];
  const all = decision.expected.flatMap(({ key, name, without, with: expected }) =>
    expected.map(({ inMin, p50 }): Told => {
      const before = without.find((one) => one.inMin === inMin)?.p50;
      const actual = happened.find((one) => one.area === key && one.inMin === inMin)?.actual;
      return { area: key, name, inMin, without: before ?? null, expected: p50 ?? null, actual: actual ?? null };
    }),
  );
  // Areas for which nothing was expected to change say little, unless that holds for all of them.
  const touched = new Set(all.filter(isTouched).map(({ area }) => area));
  const told = all.some(({ inMin }) => TOLD.includes(inMin)) ? TOLD : null;
  return all
    .filter(({ area }) => touched.size === 0 || touched.has(area))
    .filter(({ inMin }) => !told || told.includes(inMin));
}
