/** What the reader chose to see: layers, colours, camera, selection. All of it fits in the share link. */
import type { Layer } from '$lib/api/types';
import type { Camera, Shared } from '$lib/url-state';

export interface LayerChoice {
  on: boolean;
  opacity: number;
}

class View {
  choices = $state<Record<string, LayerChoice>>({});
  by = $state<Record<string, string>>({});
  camera = $state.raw<Camera | null>(null);
  selected = $state<string | null>(null);
  threeD = $state(false);
  /** What happens to be open on this screen; not shared. */
  panel = $state<'layers' | 'inView' | null>(null);

  /** Starts from a share link, or from the city's own choice of layers. */
  start(layers: Layer[], shared: Shared) {
    const chosen = new Map(shared.layers?.map(({ id, opacity }) => [id, opacity]));
    this.choices = Object.fromEntries(
      layers.map(({ id, visible }) => [
        id,
        { on: shared.layers ? chosen.has(id) : visible, opacity: chosen.get(id) ?? 1 },
      ]),
    );
    this.by = { ...shared.by };
    this.camera = shared.camera;
    this.selected = shared.selected;
    this.threeD = shared.threeD;
  }
  isOn(id: string) {
    return this.choices[id]?.on ?? false;
  }
  toggle(id: string, on = !this.isOn(id)) {
    const choice = this.choices[id];
    if (choice) choice.on = on;
  }
  setOpacity(id: string, opacity: number) {
    const choice = this.choices[id];
    if (choice) choice.opacity = opacity;
  }
  /** The part of the share link that lives here. */
  get shared(): Pick<Shared, 'camera' | 'layers' | 'by' | 'selected' | 'threeD'> {
    const layers = Object.entries(this.choices)
      .filter(([, choice]) => choice.on)
      .map(([id, { opacity }]) => ({ id, opacity }));
    return { camera: this.camera, layers, by: { ...this.by }, selected: this.selected, threeD: this.threeD };
  }
}

export const view = new View();
