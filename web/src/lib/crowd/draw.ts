/** Drawing on the map: one shape at a time, with a pointer (terra-draw) or with the keyboard (a corner in the middle). */
import { TerraDraw, TerraDrawLineStringMode, TerraDrawPolygonMode, TerraDrawSelectMode } from 'terra-draw';
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter';
import type { Map as MapLibre } from 'maplibre-gl';

export type Shape = GeoJSON.Polygon | GeoJSON.LineString;
type Kind = Shape['type'];
const modes = { Polygon: 'polygon', LineString: 'linestring' } as const;

const editable = { feature: { draggable: true, coordinates: { midpoints: true, draggable: true, deletable: true } } };

export class Drawing {
  #draw: TerraDraw;
  #map: MapLibre;

  /** `changed` hears of each finished shape; `done` when a new one has been drawn to its end. */
  constructor(map: MapLibre, color: string, changed: (shape: Shape) => void, done: () => void) {
    this.#map = map;
    const hex = color as `#${string}`;
    this.#draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: 7 }),
      modes: [
        new TerraDrawPolygonMode({
          styles: { fillColor: hex, fillOpacity: 0.25, outlineColor: hex, outlineWidth: 3 },
        }),
        // A gate is one straight line: the second corner ends it.
        new TerraDrawLineStringMode({
          finishOnNthCoordinate: 2,
          styles: { lineStringColor: hex, lineStringWidth: 5 },
        }),
        new TerraDrawSelectMode({
          flags: { polygon: editable, linestring: editable },
          styles: { selectedPolygonColor: hex, selectedPolygonOutlineColor: hex, selectedLineStringColor: hex },
        }),
      ],
    });
    this.#draw.start();
    this.#draw.on('finish', (id, { action, mode }) => {
      const shape = this.#draw.getSnapshotFeature(id)?.geometry;
      if (shape?.type !== 'Polygon' && shape?.type !== 'LineString') return;
      changed(shape);
      if (action !== 'draw' || mode === 'select') return;
      this.#draw.selectFeature(id);
      done();
    });
  }
  /** Begins a new shape. */
  begin(kind: Kind) {
    this.#draw.clear();
    this.#draw.setMode(modes[kind]);
  }
  /** Shows a shape with its corners, to drag. */
  edit(shape: Shape) {
    this.#draw.clear();
    const [added] = this.#draw.addFeatures([
      { type: 'Feature', geometry: shape, properties: { mode: modes[shape.type] } },
    ]);
    if (added?.valid && added.id !== undefined) this.#draw.selectFeature(added.id);
  }
  /** A corner in the middle of the map, for who draws without a pointer. */
  cornerHere() {
    const canvas = this.#map.getCanvas();
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2, button: 0, bubbles: true, isPrimary: true };
    for (const type of ['pointermove', 'pointerdown', 'pointerup']) {
      canvas.dispatchEvent(new PointerEvent(type, { ...at, pointerId: 1, pointerType: 'mouse' }));
    }
  }
  finish() {
    const canvas = this.#map.getCanvas();
    for (const type of ['keydown', 'keyup'])
      canvas.dispatchEvent(new KeyboardEvent(type, { key: 'Enter', bubbles: true }));
  }
  stop() {
    if (this.#draw.enabled) this.#draw.stop();
  }
}
