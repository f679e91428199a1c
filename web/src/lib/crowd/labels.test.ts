import { describe, expect, it } from 'vitest';
import type { Mark } from './features';
import { placed, sizeOf } from './labels';

const mark = (kind: Mark['kind'], name: string, x: number, y: number) =>
  ({ kind, key: name, name, text: kind === 'area' ? '1,2 p/m²' : '', colour: null, at: [0, 0], x, y }) as Mark & {
    x: number;
    y: number;
  };
const at = (marks: ReturnType<typeof mark>[], name: string) => placed(marks, 14).find(({ key }) => key === name)!;

describe('names on the map', () => {
  it('stay where they belong when there is room', () => {
    const marks = [mark('area', 'Kade', 100, 100), mark('area', 'Plein', 400, 100), mark('gate', 'Noord', 250, 300)];
    expect(placed(marks, 14).every((one) => one.y === marks.find(({ key }) => key === one.key)?.y)).toBe(true);
    expect(placed(marks, 14).some(({ compact }) => compact)).toBe(false);
  });
  it('of areas are moved apart, and what matters most, the last one, stays', () => {
    const marks = [mark('area', 'Kade', 100, 100), mark('area', 'Plein', 110, 104)];
    expect(at(marks, 'Plein').y).toBe(104);
    expect(Math.abs(at(marks, 'Kade').y - 104)).toBeGreaterThanOrEqual(sizeOf(marks[0]!, 14).height);
  });
  it('of areas find a gap that is only just large enough', () => {
    const height = sizeOf(mark('area', 'Kade', 0, 0), 14).height;
    const [top, low] = [100, 100 + 2 * height + 12];
    const marks = [
      mark('area', 'Kade', 100, low - 10),
      mark('area', 'Brug', 100, top),
      mark('area', 'Plein', 100, low),
    ];
    expect(Math.abs(at(marks, 'Kade').y - (top + low) / 2)).toBeLessThan(6);
  });
  it('of gates give way to those of areas: the sign stays, to point at', () => {
    const marks = [mark('area', 'Kade', 100, 100), mark('gate', 'Noord', 100, 110)];
    expect(at(marks, 'Kade').y).toBe(100);
    expect(at(marks, 'Noord').compact).toBe(true);
  });
  it('of areas are wholly on the map when their place is, and leave it with their place', () => {
    const marks = [mark('area', 'Kade', 4, 100), mark('area', 'Ver weg', -300, 100)];
    const [far, near] = placed(marks, 14, { width: 400, height: 300 });
    expect(near?.x).toBe(sizeOf(marks[0]!, 14).width / 2);
    expect(far?.x).toBe(-300);
  });
  it('are all there, whatever happens', () => {
    const marks = Array.from({ length: 20 }, (_, n) => mark(n % 2 ? 'gate' : 'area', `Naam ${n}`, 100, 100));
    expect(placed(marks, 14)).toHaveLength(20);
  });
});
