/**
 * Names on a map without one over the other, and all of each on the map. Names of areas are moved until they are free; a gate whose name
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
/** How finely a free place is looked for: parts of the height of a name. */
const PARTS = 10;

/** About how large a mark is on the screen, at so many pixels to the letter size. */
export function sizeOf({ kind, name, text, colour }: Mark, px: number): { width: number; height: number } {
  if (kind === 'gate') return { width: name.length * LETTER * px * 0.86 + 20, height: 28 };
  const letters = Math.min(Math.max(name.length, text.length), 26);
  return { width: letters * LETTER * px + (colour ? px * 2.9 : 0) + 22, height: px * (text ? 2.4 : 1.2) + 14 };
}
const overlaps = (a: Box, b: Box) =>
  Math.abs(a.x - b.x) * 2 < a.width + b.width + GAP && Math.abs(a.y - b.y) * 2 < a.height + b.height + GAP;

/** How far a box may step aside, as parts of its width. */
const ASIDE = [0, 0.2, -0.2, 0.4, -0.4];
/** The map's own size, px. */
export interface Frame {
  width: number;
  height: number;
}
/** The box as far on the map as it fits. */
function within(box: Box, frame: Frame | undefined): Box {
  if (!frame) return box;
  const clamp = (at: number, size: number, most: number) =>
    size >= most ? most / 2 : Math.min(Math.max(at, size / 2), most - size / 2);
  return { ...box, x: clamp(box.x, box.width, frame.width), y: clamp(box.y, box.height, frame.height) };
}

/** The nearest free place for a box, a little aside where it may; where it would be when there is none near. */
function free(box: Box, taken: Box[], frame?: Frame, aside = ASIDE): Box {
  const step = box.height / PARTS;
  const places = aside
    .flatMap((part) =>
      Array.from({ length: 2 * FAR * PARTS + 1 }, (_, index) => ({
        dx: part * box.width,
        dy: (index - FAR * PARTS) * step,
      })),
    )
    .sort((a, b) => Math.hypot(a.dx, a.dy) - Math.hypot(b.dx, b.dy));
  for (const { dx, dy } of places) {
    const moved = within({ ...box, x: box.x + dx, y: box.y + dy }, frame);
    if (!taken.some((other) => overlaps(moved, other))) return moved;
  }
  return within(box, frame);
}

/** Marks with where they are drawn. What comes last matters most, and gets its place first. */
export function placed(marks: (Mark & { x: number; y: number })[], px: number, frame?: Frame): Label[] {
  const taken: Box[] = [];
  const labels: Label[] = [];
  for (const mark of [...marks].reverse().filter(({ kind }) => kind === 'area')) {
    const { x, y } = mark;
    // What is named may lie beside the map: its name then stays with it.
    const isSeen = frame && x >= 0 && x <= frame.width && y >= 0 && y <= frame.height;
    const box = free({ x, y, ...sizeOf(mark, px) }, taken, isSeen ? frame : undefined);
    taken.push(box);
    labels.push({ ...mark, x: box.x, y: box.y, compact: false });
  }
  for (const mark of marks.filter(({ kind }) => kind === 'gate')) {
    const { x, y } = mark;
    const full = { x, y, ...sizeOf(mark, px) };
    const compact = taken.some((other) => overlaps(full, other));
    const box = compact ? free({ x, y, width: SIGN_PX, height: SIGN_PX }, taken, undefined, [0]) : full;
    taken.push(box);
    labels.push({ ...mark, x: box.x, y: box.y, compact });
  }
  return labels;
}
