/**
 * Where everything stands in a bowtie: threats on the left, what happens in the middle, consequences on the right, and on
 * each line the barriers that must stop it. Pure: the same parts always give the same picture.
 */
import type { Barrier, Consequence, Level, Part, Threat } from './types';

export interface Box {
  key: string;
  kind: 'threat' | 'barrier' | 'consequence' | 'centre';
  name: string;
  x: number;
  y: number;
  width: number;
  height: number;
  level?: Level;
  /** Of a barrier: whether it holds. */
  works?: boolean;
}
export interface Wire {
  from: [number, number];
  to: [number, number];
  /** Whether at least one barrier on it holds. */
  guarded: boolean;
  key: string;
}
export interface Bowtie {
  width: number;
  height: number;
  boxes: Box[];
  wires: Wire[];
  /** Barriers that belong to no threat or consequence: they guard nothing. */
  loose: string[];
}

const BOX = { width: 148, height: 64 };
const BARRIER = { width: 108, height: 60 };
const CENTRE = { width: 128, height: 100 };
const GAP = 16;

type Row = { key: string; name: string; level: Level; barriers: Part<Barrier>[] };
export interface Parts {
  threats: Part<Threat>[];
  barriers: Part<Barrier>[];
  consequences: Part<Consequence>[];
}
const levels: Level[] = ['high', 'medium', 'low'];
const rows = (parts: Part<Threat | Consequence>[], barriers: (key: string) => Part<Barrier>[]): Row[] =>
  [...parts]
    .sort((a, b) => levels.indexOf(a.body.level) - levels.indexOf(b.body.level) || a.key.localeCompare(b.key))
    .map(({ key, body }) => ({ key, name: body.name, level: body.level, barriers: barriers(key) }));

export function bowtie({ threats, barriers, consequences }: Parts, centre: string): Bowtie {
  const left = rows(threats, (key) => barriers.filter(({ body }) => body.side === 'prevent' && body.threat === key));
  const right = rows(consequences, (key) =>
    barriers.filter(({ body }) => body.side === 'recover' && body.consequence === key),
  );
  const placed = new Set([...left, ...right].flatMap((row) => row.barriers.map(({ key }) => key)));
  const most = (all: Row[]) => Math.max(0, ...all.map((row) => row.barriers.length));
  const lane = (count: number) => GAP + count * (BARRIER.width + GAP) + GAP;
  const centreX = BOX.width + lane(most(left));
  const rightX = centreX + CENTRE.width + lane(most(right));
  const height = Math.max(CENTRE.height + 2 * GAP, Math.max(left.length, right.length) * (BOX.height + GAP) + GAP);
  const boxes: Box[] = [
    { key: 'centre', kind: 'centre', name: centre, x: centreX, y: (height - CENTRE.height) / 2, ...CENTRE },
  ];
  const wires: Wire[] = [];
  const side = (all: Row[], kind: 'threat' | 'consequence') => {
    const step = height / Math.max(1, all.length);
    all.forEach((row, index) => {
      const middle = step * (index + 0.5);
      const x = kind === 'threat' ? 0 : rightX;
      boxes.push({ key: row.key, kind, name: row.name, level: row.level, x, y: middle - BOX.height / 2, ...BOX });
      const fromX = kind === 'threat' ? BOX.width : centreX + CENTRE.width;
      row.barriers.forEach(({ key, body }, place) => {
        const offset = GAP + place * (BARRIER.width + GAP);
        const barrierX = kind === 'threat' ? fromX + offset : rightX - offset - BARRIER.width;
        const { name, works } = body;
        boxes.push({ key, kind: 'barrier', name, works, x: barrierX, y: middle - BARRIER.height / 2, ...BARRIER });
      });
      const out: [number, number] = [kind === 'threat' ? fromX : rightX, middle];
      const centreEdge: [number, number] = [kind === 'threat' ? centreX : fromX, height / 2];
      const guarded = row.barriers.some(({ body }) => body.works);
      wires.push({ key: `${kind}-${row.key}`, guarded, from: out, to: centreEdge });
    });
  };
  side(left, 'threat');
  side(right, 'consequence');
  const width = rightX + (right.length > 0 ? BOX.width : 0);
  return { width, height, boxes, wires, loose: barriers.map(({ key }) => key).filter((key) => !placed.has(key)) };
}

/** The way of a wire: level along its barriers, then bent to the middle. */
export function wirePath({ from: [x1, y1], to: [x2, y2] }: Wire): string {
  const bend = x1 < x2 ? Math.max(x1, x2 - 44) : Math.min(x1, x2 + 44);
  const half = (bend + x2) / 2;
  return `M${x1} ${y1}H${bend}C${half} ${y1} ${half} ${y2} ${x2} ${y2}`;
}
