/**
 * How a colour of risk is shown to people who do not see colours alike: each has its own lightness, its own pattern and
 * its own letter. Unknown is a colour of its own, and never looks like green.
 */
import type { AreaPicture, Colour } from './types';

export type Pattern = 'plain' | 'stripes' | 'cross' | 'dots';
/** The moments that a control room looks at: now, and so many minutes on. */
export const horizons = [0, 15, 30, 60] as const;
export type Horizon = (typeof horizons)[number];

interface Look {
  /** Fill, `#rrggbb`; the same on a light and a dark screen, because each carries its own ink. */
  fill: string;
  ink: string;
  pattern: Pattern;
  /** How bad: the worst is the highest. Unknown is worse than amber, because nobody can see what happens there. */
  rank: number;
}
export const looks: Record<Colour, Look> = {
  green: { fill: '#0f7b5f', ink: '#ffffff', pattern: 'plain', rank: 0 },
  amber: { fill: '#ffb627', ink: '#14202b', pattern: 'stripes', rank: 1 },
  red: { fill: '#9b1230', ink: '#ffffff', pattern: 'cross', rank: 3 },
  unknown: { fill: '#66717d', ink: '#ffffff', pattern: 'dots', rank: 2 },
};
export const colours = Object.keys(looks) as Colour[];

/** A colour that the server may not have sent, or that we do not know, is unknown. */
export const known = (colour: string | null | undefined): Colour =>
  colour && colour in looks ? (colour as Colour) : 'unknown';

/** What is said of an area at a moment: now, or as it is expected. */
export interface Seen {
  colour: Colour;
  /** Persons per m²; only now. */
  densityM2: number | null;
  persons: number | null;
  low: number | null;
  high: number | null;
  probabilityRed: number | null;
}
export function seen(area: AreaPicture, horizon: Horizon): Seen {
  if (horizon === 0) {
    const { persons, low, high } = spread(area.occupancy);
    return { colour: known(area.colour), densityM2: area.densityM2 ?? null, persons, low, high, probabilityRed: null };
  }
  const ahead = area.coming.find(({ inMin }) => inMin === horizon);
  return {
    colour: known(ahead?.colour),
    densityM2: null,
    persons: ahead?.p50 ?? null,
    low: ahead?.p10 ?? null,
    high: ahead?.p90 ?? null,
    probabilityRed: ahead?.probabilityRed ?? null,
  };
}
/** The band in which eight of ten lie, as the forecast has it too. */
const BAND_SD = 1.28;
/** An amount with its band; all null when there is none. */
export function spread(amount: { value: number; sd?: number } | undefined) {
  if (!amount) return { persons: null, low: null, high: null };
  const { value, sd } = amount;
  if (sd === undefined) return { persons: value, low: null, high: null };
  return { persons: value, low: Math.max(0, value - BAND_SD * sd), high: value + BAND_SD * sd };
}
/** How full an area is, of what it may hold; null when nobody knows or may tell. */
export const shareOf = ({ occupancy, capacityPersons }: AreaPicture) =>
  occupancy && capacityPersons > 0 ? occupancy.value / capacityPersons : null;

/** Areas with the worst first; the fullest first among equals. */
export function worstFirst(areas: AreaPicture[], horizon: Horizon): AreaPicture[] {
  const share = (area: AreaPicture) => shareOf(area) ?? -1;
  const rank = (area: AreaPicture) => looks[seen(area, horizon).colour].rank;
  return [...areas].sort((a, b) => rank(b) - rank(a) || share(b) - share(a) || a.name.localeCompare(b.name));
}

/** How a value came to be, for the label beside it. */
export type Origin = 'measured' | 'estimated' | 'simulated' | 'unknown';
export function originOf(area: AreaPicture, simulated: boolean): Origin {
  if (!area.occupancy) return 'unknown';
  if (simulated || area.made.includes('simulated')) return 'simulated';
  return area.made.length > 0 && area.made.every((how) => how === 'area-count') ? 'measured' : 'estimated';
}
