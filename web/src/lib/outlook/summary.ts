/** How good a forecast was, from the scores of the server to what people are told. Pure. */
import type { Score } from './types';

export const rules = ['seasonal_naive', 'four_week_mean'] as const;
export type Rule = (typeof rules)[number];
export interface Against {
  rule: Rule;
  /** How much less the forecast was off than the simple rule (0.2: a fifth less); negative when more. */
  gain: number;
}
export interface Figures {
  hours: number;
  /** Mean absolute error, counts an hour; null when it is less than the smallest count that is told. */
  error: number | null;
  /** Sum of errors over the sum of counts. */
  share: number | null;
  /** Share of hours within the band. */
  inside: number | null;
  against: Against[];
}
/** How much smaller one error is than another; null when it cannot be said. */
export const gainOver = (error: number | undefined, other: number | undefined): number | null =>
  error === undefined || other === undefined || other <= 0 ? null : 1 - error / other;

/** What is said at midnight for the day (`day`) or for the week after it (`week`); null when nothing was scored. */
export function figures(scores: Score[], lead: 'day' | 'week' = 'day'): Figures | null {
  const of = (method: string) => scores.find((one) => one.lead === lead && one.method === method);
  const own = of('forecast');
  if (!own || own.hours === 0) return null;
  const against = rules.flatMap((rule) => {
    const gain = gainOver(own.wape, of(rule)?.wape);
    return gain === null ? [] : [{ rule, gain }];
  });
  return {
    hours: own.hours,
    error: own.mae ?? null,
    share: own.wape ?? null,
    inside: own.coverage ?? null,
    against,
  };
}

/** Less than this is no difference. */
const EQUAL = 0.02;
export const verdict = (gain: number): 'better' | 'worse' | 'equal' =>
  Math.abs(gain) < EQUAL ? 'equal' : gain > 0 ? 'better' : 'worse';

/** What the band is meant to hold, and how far from it it still does its work. */
const AIM = { least: 0.7, most: 0.9 };
/** Whether the band says what it should: too narrow promises too much, too wide says too little. */
export const bandIs = (inside: number): 'good' | 'narrow' | 'wide' =>
  inside < AIM.least ? 'narrow' : inside > AIM.most ? 'wide' : 'good';
