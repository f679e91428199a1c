import { describe, expect, it } from 'vitest';
import { bowtie, type Box, type Parts } from './bowtie';
import type { Barrier, Consequence, Part, Threat } from './types';

const part = <B>(kind: 'threat' | 'barrier' | 'consequence', key: string, body: B): Part<B> => ({
  kind,
  key,
  body,
  version: 1,
  changedBy: 'els',
  changedAt: '2026-07-01T12:00:00Z',
});
const threat = (key: string, level: Threat['level'] = 'medium') =>
  part<Threat>('threat', key, { name: key, kind: 'weather', level, note: '' });
const consequence = (key: string) => part<Consequence>('consequence', key, { name: key, level: 'high', note: '' });
const barrier = (key: string, of: Partial<Barrier>) =>
  part<Barrier>('barrier', key, { name: key, side: 'prevent', works: true, note: '', ...of });

const parts: Parts = {
  threats: [threat('rain', 'low'), threat('peak', 'high')],
  consequences: [consequence('crush')],
  barriers: [
    barrier('dose', { threat: 'peak' }),
    barrier('screen', { threat: 'peak', works: false }),
    barrier('first-aid', { side: 'recover', consequence: 'crush' }),
    barrier('lost', { threat: 'gone' }),
  ],
};
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

describe('a bowtie', () => {
  const picture = bowtie(parts, 'Te druk');
  const at = (key: string) => picture.boxes.find((box) => box.key === key)!;

  it('has threats left, what happens in the middle, consequences right, and barriers between', () => {
    const order = ['peak', 'dose', 'screen', 'centre', 'first-aid', 'crush'].map((key) => at(key).x);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });
  it('puts no box over another, and all of them inside the picture', () => {
    for (const [index, box] of picture.boxes.entries()) {
      expect(
        box.x >= 0 && box.y >= 0 && box.x + box.width <= picture.width && box.y + box.height <= picture.height,
      ).toBe(true);
      for (const other of picture.boxes.slice(index + 1))
        expect(overlap(box, other), `${box.key} ${other.key}`).toBe(false);
    }
  });
  it('has the gravest threat on top', () => {
    expect(at('peak').y).toBeLessThan(at('rain').y);
  });
  it('marks the ways that no working barrier guards', () => {
    const guarded = Object.fromEntries(picture.wires.map(({ key, guarded }) => [key, guarded]));
    expect(guarded).toEqual({ 'threat-peak': true, 'threat-rain': false, 'consequence-crush': true });
  });
  it('names barriers that belong to nothing', () => {
    expect(picture.loose).toEqual(['lost']);
  });
  it('is there when nothing has been filled in yet', () => {
    const empty = bowtie({ threats: [], barriers: [], consequences: [] }, 'Te druk');
    expect(empty.boxes.map(({ kind }) => kind)).toEqual(['centre']);
    expect(empty.wires).toEqual([]);
  });
});
