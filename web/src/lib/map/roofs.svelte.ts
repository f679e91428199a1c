/** Switches real roofs on and off with the map in 3D, and tells where they are on the screen so that blocks can make room. */
import type { Map as MapLibre } from 'maplibre-gl';

export class Roofs {
  state = $state<'off' | 'loading' | 'on' | 'absent'>('off');
  area = $state.raw<GeoJSON.MultiPolygon | null>(null);
  #remove: (() => void) | null = null;
  #wanted = '';

  async show(map: MapLibre, on: boolean, dark: boolean) {
    const wanted = on ? `on ${dark}` : 'off';
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#remove?.();
    this.#remove = null;
    this.area = null;
    if (!on) {
      this.state = 'off';
      return;
    }
    this.state = 'loading';
    const { addRoofs, hasRoofs } = await import('./threed');
    const present = await hasRoofs();
    if (this.#wanted !== wanted) return;
    if (!present) {
      this.state = 'absent';
      return;
    }
    this.#remove = addRoofs(map, dark, (area) => {
      if (this.#wanted === wanted) this.area = area;
    });
    this.state = 'on';
  }
}
