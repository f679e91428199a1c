/** Switches real roofs on and off with the map in 3D, and tells where they are so that blocks can make room. */
import type { Map as MapLibre } from 'maplibre-gl';

export class Roofs {
  state = $state<'off' | 'loading' | 'on' | 'absent'>('off');
  area = $state.raw<GeoJSON.Polygon | null>(null);
  #remove: (() => void) | null = null;
  #wanted = '';

  async show(map: MapLibre, on: boolean, dark: boolean) {
    const wanted = on ? `on ${dark}` : 'off';
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#remove?.();
    this.#remove = null;
    if (!on) {
      this.state = 'off';
      this.area = null;
      return;
    }
    this.state = 'loading';
    const { addRoofs, roofsArea } = await import('./threed');
    const area = await roofsArea();
    if (this.#wanted !== wanted) return;
    if (!area) {
      this.state = 'absent';
      return;
    }
    this.#remove = addRoofs(map, dark, () => {
      this.area = null;
    });
    this.area = area;
    this.state = 'on';
  }
}
