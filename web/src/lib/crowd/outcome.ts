/** What a decision was expected to do beside what happened. Pure. */
import type { Decision } from './types';

export interface Outcome {
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

export function outcomes({ expected, actual }: Decision): Outcome[] {
  const told = actual.some(({ inMin }) => TOLD.includes(inMin)) ? TOLD : null;
  return actual
    .filter(({ inMin }) => !told || told.includes(inMin))
    .map((one) => {
      const area = expected.areas.find(({ key }) => key === one.area);
      const without = area?.without.find(({ inMin }) => inMin === one.inMin)?.p50 ?? null;
      return { ...one, name: area?.name ?? one.area, without };
    });
}
