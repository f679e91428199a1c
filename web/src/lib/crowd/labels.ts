/**
 * Names on a map without one over the other. Names of areas are moved up or down until they are free; a gate whose name
 * has no room shows only its sign, and says its name to who points at it. Pure.
 */
import type { Mark } from './features';

export interface Label extends Mark {
  x: number;
  y: number;
  /** Only the sign, without the words. */
  compact: boolean;
}
interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
/** About how wide a letter is, in the size of the text around it. */
const LETTER = 0.56;
const GAP = 3;
const SIGN_PX = 24;
/** A name further from its place than this says more about another place. */
const FAR = 4;
/** How finely a free height is looked for: parts of the height of a name. */
const PARTS = 10;

/** About how large a mark is on the screen, at so many pixels to the letter size. */
export function sizeOf({ kind, name, text, colour }: Mark, px: number): { width: number; height: number } {
  if (kind === 'gate') return { width: name.length * LETTER * px * 0.86 + 20, height: 28 };
  const letters = Math.min(Math.max(name.length, text.length), 26);
  return { width: letters * LETTER * px + (colour ? px * 2.9 : 0) + 22, height: px * (text ? 2.4 : 1.2) + 14 };
}
const overlaps = (a: Box, b: Box) =>
  Math.abs(a.x - b.x) * 2 < a.width + b.width + GAP && Math.abs(a.y - b.y) * 2 < a.height + b.height + GAP;

/** The nearest free height for a box, above or below where it would be; where it would be when there is none near. */
function free(box: Box, taken: Box[]): Box {
  const step = box.height / PARTS;
  for (let away = 0; away <= FAR * PARTS; away++) {
    for (const side of away === 0 ? [0] : [away, -away]) {
      const moved = { ...box, y: box.y + side * step };
      if (!taken.some((other) => overlaps(moved, other))) return moved;
    }
  }
  return box;
}

/** Marks with where they are drawn. What comes last matters most, and gets its place first. */
export function placed(marks: (Mark & { x: number; y: number })[], px: number): Label[] {
  const taken: Box[] = [];
  const labels: Label[] = [];
  for (const mark of [...marks].reverse().filter(({ kind }) => kind === 'area')) {
    const { x, y } = mark;
    const box = free({ x, y, ...sizeOf(mark, px) }, taken);
    taken.push(box);
    labels.push({ ...mark, y: box.y, compact: false });
  }
  for (const mark of marks.filter(({ kind }) => kind === 'gate')) {
    const { x, y } = mark;
    const full = { x, y, ...sizeOf(mark, px) };
    const compact = taken.some((other) => overlaps(full, other));
    const box = compact ? free({ x, y, width: SIGN_PX, height: SIGN_PX }, taken) : full;
    taken.push(box);
    labels.push({ ...mark, y: box.y, compact });
  }
  return labels;
}
