/** Why an alert is there, when it comes true, and which measures are at hand there. Pure. */
import { shareOf } from './colours';
import type { Alert, AreaPicture, Bodies, Gate, Part } from './types';

export type Quantity = 'density' | 'specific_flow' | 'level_of_service' | 'occupancy_share';
export interface Reason {
  quantity: Quantity;
  /** The value now; of a level of service the density behind it; null when nobody knows or may tell. */
  value: number | null;
  /** Where red starts, in the same unit; null when the server does not say. */
  threshold: number | null;
}
const values: Record<Quantity, (area: AreaPicture) => number | null | undefined> = {
  density: ({ densityM2 }) => densityM2,
  specific_flow: ({ specificFlowPedMMin }) => specificFlowPedMMin,
  level_of_service: ({ densityM2 }) => densityM2,
  occupancy_share: shareOf,
};
const borders: Record<Quantity, (area: AreaPicture) => number | null | undefined> = {
  density: ({ thresholds }) => thresholds?.densityM2?.red,
  specific_flow: ({ thresholds }) => thresholds?.specificFlowPedMMin?.red,
  level_of_service: () => null,
  occupancy_share: ({ thresholds }) => thresholds?.occupancyShare?.red,
};

/** The threshold that decided with its value, and what the value is now; null when the alert names none that we know. */
export function reasonOf(alert: Pick<Alert, 'because' | 'threshold'>, area: AreaPicture | undefined): Reason | null {
  if (!alert.because || !(alert.because in values)) return null;
  const quantity = alert.because as Quantity;
  return {
    quantity,
    value: (area && values[quantity](area)) ?? null,
    threshold: alert.threshold ?? (area && borders[quantity](area)) ?? null,
  };
}

/** From this probability on, an alert is raised by a prediction: as the server has it. */
export const LIKELY = 0.45;
/** Within how many minutes it is likely to be red; when it is at no moment, where it is likeliest. */
export function whenRed(area: AreaPicture | undefined): { inMin: number; probability: number } | null {
  const all = (area?.coming ?? [])
    .flatMap(({ inMin, probabilityRed }) =>
      probabilityRed === undefined ? [] : [{ inMin, probability: probabilityRed }],
    )
    .sort((a, b) => a.inMin - b.inMin);
  const likely = all.find(({ probability }) => probability >= LIKELY);
  return likely ?? all.reduce<(typeof all)[0] | null>((a, b) => (a && a.probability >= b.probability ? a : b), null);
}

/** Gates of an area: what goes through them can be steered. Those that lead into it come first. */
export function gatesOf(area: string, gates: Part<Gate>[]): Part<Gate>[] {
  const side = ({ body }: Part<Gate>) => (body.to === area ? 0 : body.from === area ? 1 : 2);
  return gates.filter((gate) => side(gate) < 2).sort((a, b) => side(a) - side(b));
}
/** Prepared measures with those that touch an area first. */
export function nearestFirst(
  measures: Part<Bodies['measure']>[],
  area: string | null,
  gates: Part<Gate>[],
): { part: Part<Bodies['measure']>; isHere: boolean }[] {
  const own = new Set(area ? gatesOf(area, gates).map(({ key }) => key) : []);
  const all = measures.map((part) => {
    const { area: at, gate, toGate } = part.body.measure;
    return { part, isHere: area !== null && (at === area || own.has(gate ?? '') || own.has(toGate ?? '')) };
  });
  return [...all.filter(({ isHere }) => isHere), ...all.filter(({ isHere }) => !isHere)];
}

export interface BorderRow {
  quantity: Quantity;
  value: number | null;
  amber: number;
  red: number;
}
/** What an area is held against: each threshold with the value now. What it is not held against is not listed. */
export function bordersOf(area: AreaPicture): BorderRow[] {
  const { densityM2, specificFlowPedMMin, occupancyShare } = area.thresholds ?? {};
  const all = { density: densityM2, specific_flow: specificFlowPedMMin, occupancy_share: occupancyShare };
  return Object.entries(all).flatMap(([name, border]) => {
    const quantity = name as keyof typeof all;
    return border ? [{ quantity, value: values[quantity](area) ?? null, ...border }] : [];
  });
}
