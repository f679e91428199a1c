/** The one thing to know of a picture, for who looks up from five metres: what is red, or will be, when, and how sure. Pure. */
import { known } from './colours';
import { LIKELY, whenRed } from './reasons';
import type { AreaPicture, Colour, Picture } from './types';

export interface Headline {
  kind: 'now' | 'soon' | 'unknown' | 'amber' | 'calm' | 'blind';
  colour: Colour;
  area: AreaPicture | null;
  /** Within how many minutes it will be red, and how likely that is. */
  inMin: number | null;
  probability: number | null;
  /** Other areas in the same state. */
  more: number;
}

interface Found {
  area: AreaPicture;
  inMin?: number;
  probability?: number;
}
function headline(kind: Headline['kind'], colour: Colour, [first, ...others]: Found[]): Headline {
  const { area = null, inMin = null, probability = null } = first ?? {};
  return { kind, colour, area, inMin, probability, more: others.length };
}

/**
 * Red comes first, then red that is likely within the hour or of which an alert is open, then what nobody can see, then
 * amber.
 */
export function headlineOf({ areas, attention }: Pick<Picture, 'areas' | 'attention'>): Headline {
  const alarmed = new Set(attention.filter(({ status }) => status !== 'closed').map(({ area }) => area));
  const share = ({ occupancy, capacityPersons }: AreaPicture) => (occupancy ? occupancy.value / capacityPersons : 0);
  const of = (colour: Colour) =>
    areas
      .filter((area) => known(area.colour) === colour && !(colour === 'unknown' && area.suppressed))
      .sort((a, b) => share(b) - share(a))
      .map((area): Found => ({ area }));
  const red = of('red');
  if (red.length > 0) return headline('now', 'red', red);
  const soon = areas
    .flatMap((area) => {
      const when = whenRed(area);
      return when && (when.probability >= LIKELY || alarmed.has(area.key)) ? [{ area, ...when }] : [];
    })
    .sort((a, b) => a.inMin - b.inMin || b.probability - a.probability);
  if (soon.length > 0) return headline('soon', 'red', soon);
  const unknown = of('unknown');
  if (unknown.length > 0) return headline('unknown', 'unknown', unknown);
  const amber = of('amber');
  if (amber.length > 0) return headline('amber', 'amber', amber);
  // What is kept back has few people in it, and says nothing of the hour that comes.
  const canSay = areas.some((area) => whenRed(area) !== null || area.suppressed);
  return canSay ? headline('calm', 'green', []) : headline('blind', 'unknown', []);
}
