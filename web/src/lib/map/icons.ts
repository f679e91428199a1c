/** The small signs on the map, drawn by us on a canvas: no image files, sharp on every screen. */
import type { Map as MapLibre, StyleImageMetadata } from 'maplibre-gl';

const RATIO = 3;
const INK = { dark: '#14202b', light: '#ffffff' };
type Draw = (context: CanvasRenderingContext2D) => void;

/** Drawings in a box of 16 × 16; the ink colour is set. */
const GLYPHS: Record<string, Draw> = {
  parking: (c) => {
    c.font = '700 13px "Noto Sans Variable", sans-serif';
    c.textAlign = 'center';
    c.textBaseline = 'middle';
    c.fillText('P', 8, 8.7);
  },
  water: (c) => {
    for (const top of [5, 8.5, 12]) {
      c.beginPath();
      c.moveTo(2.5, top);
      c.bezierCurveTo(4.5, top - 2.6, 6, top - 2.6, 8, top);
      c.bezierCurveTo(10, top + 2.6, 11.5, top + 2.6, 13.5, top);
      c.stroke();
    }
  },
  accident: (c) => {
    c.beginPath();
    for (let ray = 0; ray < 16; ray++) {
      const [angle, reach] = [(ray / 16) * Math.PI * 2, ray % 2 ? 3 : 6.6];
      c.lineTo(8 + Math.cos(angle) * reach, 8 + Math.sin(angle) * reach);
    }
    c.fill();
  },
  obstruction: (c) => {
    c.fillRect(7, 2.6, 2, 7);
    c.beginPath();
    c.arc(8, 12.2, 1.3, 0, 7);
    c.fill();
  },
  bridgeOpening: (c) => {
    c.beginPath();
    c.moveTo(1.8, 12);
    c.lineTo(4.6, 12);
    c.lineTo(8.6, 4.2);
    c.moveTo(11.4, 12);
    c.lineTo(14.2, 12);
    c.stroke();
    c.fillRect(3.6, 11, 2, 3);
    c.fillRect(10.4, 11, 2, 3);
  },
  roadworks: (c) => {
    c.beginPath();
    c.moveTo(8, 2.4);
    c.lineTo(12, 13.2);
    c.lineTo(4, 13.2);
    c.closePath();
    c.stroke();
    c.fillRect(5.6, 8.2, 4.8, 1.8);
  },
};
GLYPHS['bridge_opening'] = GLYPHS['bridgeOpening']!;
GLYPHS['incident'] = GLYPHS['obstruction']!;

/** Whether there is a sign of this name. */
export const hasGlyph = (name: string | null | undefined): name is string => !!name && name in GLYPHS;
export const glyphId = (name: string, ink: 'dark' | 'light') => `glyph-${name}-${ink}`;
export const badgeId = (color: string) => `badge-${color}`;

function canvas(size: number): CanvasRenderingContext2D {
  const element = document.createElement('canvas');
  element.width = element.height = size * RATIO;
  const context = element.getContext('2d', { willReadFrequently: true })!;
  context.scale(RATIO, RATIO);
  context.lineWidth = 1.7;
  context.lineCap = context.lineJoin = 'round';
  return context;
}

function put(map: MapLibre, id: string, size: number, draw: Draw, extra: Partial<StyleImageMetadata> = {}) {
  if (map.hasImage(id)) return;
  const context = canvas(size);
  draw(context);
  const { data, width, height } = context.getImageData(0, 0, size * RATIO, size * RATIO);
  map.addImage(id, { data: new Uint8Array(data.buffer), width, height }, { pixelRatio: RATIO, ...extra });
}

/** A rounded plate that stretches around a line number. */
function plate(color: string, edge: string): Draw {
  return (c) => {
    c.beginPath();
    c.roundRect(1.5, 1.5, 19, 19, 6);
    c.fillStyle = color;
    c.strokeStyle = edge;
    c.lineWidth = 1.5;
    c.fill();
    c.stroke();
  };
}

/** Gives the map all signs, and a plate for each colour of the vehicle badges. */
export function addImages(map: MapLibre, plateColors: string[]) {
  for (const [name, draw] of Object.entries(GLYPHS)) {
    for (const ink of ['dark', 'light'] as const) {
      put(map, glyphId(name, ink), 16, (c) => {
        c.fillStyle = c.strokeStyle = INK[ink];
        draw(c);
      });
    }
  }
  const px = (...values: number[]) => values.map((value) => value * RATIO);
  for (const color of new Set(plateColors)) {
    put(map, badgeId(color), 22, plate(color, '#ffffff'), {
      stretchX: [px(8, 14) as [number, number]],
      stretchY: [px(8, 14) as [number, number]],
      content: px(4, 3, 18, 19) as [number, number, number, number],
    });
  }
}
