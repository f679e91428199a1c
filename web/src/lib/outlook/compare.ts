/** How busy a day will be beside what is usual, and how sure that is. Pure. */

/** Eight of ten outcomes are expected between `p10` and `p90`; what is too small to be told is absent. */
export interface Band {
  p10?: number;
  p50?: number;
  p90?: number;
}
export type Compared =
  | { kind: 'busier' | 'quieter'; percent: number; sure: boolean }
  | { kind: 'times'; times: number; sure: boolean }
  | { kind: 'same' }
  | { kind: 'unknown' };

/** Nobody plans for less than this. */
const STEP_PERCENT = 5;

/** To the next 5 %: more than that cannot be known beforehand. Not sure while the usual lies inside the band. */
export function compared(said: Band | undefined, usual: number | undefined): Compared {
  if (said?.p50 === undefined || usual === undefined || usual <= 0) return { kind: 'unknown' };
  const ratio = said.p50 / usual;
  const sure = usual < (said.p10 ?? 0) || usual > (said.p90 ?? Infinity);
  if (ratio >= 2) return { kind: 'times', times: Math.round(ratio * 10) / 10, sure };
  const percent = Math.round(((ratio - 1) * 100) / STEP_PERCENT) * STEP_PERCENT;
  if (percent === 0) return { kind: 'same' };
  return { kind: percent > 0 ? 'busier' : 'quieter', percent: Math.abs(percent), sure };
}

/** How much more or less it is, for what the eye should find first: 0 as usual, 1 a little, 2 much; null when unknown. */
export function standsOut(found: Compared): 0 | 1 | 2 | null {
  if (found.kind === 'unknown') return null;
  if (found.kind === 'same') return 0;
  if (found.kind === 'times') return 2;
  return found.percent >= 25 && found.sure ? 2 : 1;
}
