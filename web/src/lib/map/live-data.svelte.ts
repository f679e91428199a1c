/**
 * The features of the visible layers: fetched for the moment on the screen and kept fresh by the stream of changes.
 * While the reader looks back, changes do not touch the picture.
 */
import { getFeatures, isAbort } from '$lib/api/client';
import type { Change, Features, Layer } from '$lib/api/types';
import { i18n } from '$lib/i18n/index.svelte';
import { reducedMotion } from '$lib/state/theme.svelte';

export interface LayerData {
  state: 'loading' | 'ready' | 'failed';
  count: number;
  noData: number;
  /** The moment of the picture, ms. */
  at: number | null;
}
type Held = { features: Features; at: string | null; dirty: boolean };

const DRAW_MS = 400;
const REFETCH_MS = 1_500;

export class LiveData {
  status = $state<Record<string, LayerData>>({});
  #held = new Map<string, Held>();
  #running = new Map<string, AbortController>();
  #refetch = new Map<string, ReturnType<typeof setTimeout>>();
  #timer: ReturnType<typeof setInterval>;

  constructor(private readonly draw: (layer: string, features: Features) => void) {
    this.#timer = setInterval(() => this.#drawDirty(), reducedMotion() ? DRAW_MS * 5 : DRAW_MS);
  }
  stop() {
    clearInterval(this.#timer);
    for (const running of this.#running.values()) running.abort();
    for (const timer of this.#refetch.values()) clearTimeout(timer);
  }

  features(layer: string): Features | undefined {
    return this.#held.get(layer)?.features;
  }
  values(layer: string, attribute: string): number[] {
    const all = this.features(layer)?.features ?? [];
    return all.map(({ properties }) => properties[attribute]).filter((value) => typeof value === 'number');
  }

  /** Loads a layer for a moment (null: now), unless that is what it has. Static layers do not change with time. */
  async load(layer: Layer, at: string | null, again = false) {
    if (layer.delivery !== 'features') return;
    const moment = layer.live ? at : null;
    const held = this.#held.get(layer.id);
    if (held && held.at === moment && !again) return this.draw(layer.id, held.features);
    this.#running.get(layer.id)?.abort();
    const running = new AbortController();
    this.#running.set(layer.id, running);
    if (!held) this.status[layer.id] = { state: 'loading', count: 0, noData: 0, at: null };
    try {
      const features = await getFeatures(layer.id, { at: moment, lang: i18n.lang }, running.signal);
      for (const feature of features.features) feature.properties.id ??= String(feature.id);
      this.#held.set(layer.id, { features, at: moment, dirty: false });
      this.#report(layer.id, features);
      this.draw(layer.id, features);
    } catch (error) {
      if (isAbort(error)) return;
      if (!held) this.draw(layer.id, { type: 'FeatureCollection', features: [], at: '', noData: 0, truncated: false });
      this.status[layer.id] = { state: 'failed', count: held?.features.features.length ?? 0, noData: 0, at: null };
    }
  }

  /** The areas of a layer for their names; fetched once, also when the layer is off. */
  async areas(layer: Layer): Promise<Features | undefined> {
    const held = this.features(layer.id);
    return held ?? getFeatures(layer.id, {}).catch(() => undefined);
  }

  /** Takes in one change: figures and places of known things at once, everything else by fetching the layer again soon. */
  change(layer: Layer, change: Change) {
    const held = this.#held.get(layer.id);
    if (!held || held.at !== null) return;
    const feature = held.features.features.find(({ id }) => id === change.id);
    const values = Object.entries(change.values);
    const figures = values.every(([, value]) => value === null || typeof value === 'number');
    if (!feature || change.kind !== 'updated' || !figures) return this.#soon(layer);
    for (const [name, value] of values) feature.properties[name] = value;
    if (change.location) feature.geometry = change.location;
    if (change.observedAt) feature.properties.observedAt = change.observedAt;
    held.dirty = true;
  }

  #soon(layer: Layer) {
    if (this.#refetch.has(layer.id)) return;
    const timer = setTimeout(() => {
      this.#refetch.delete(layer.id);
      if (this.#held.get(layer.id)?.at === null) void this.load(layer, null, true);
    }, REFETCH_MS);
    this.#refetch.set(layer.id, timer);
  }
  #drawDirty() {
    for (const [layer, held] of this.#held) {
      if (!held.dirty) continue;
      held.dirty = false;
      this.#report(layer, held.features);
      this.draw(layer, held.features);
    }
  }
  #report(layer: string, features: Features) {
    this.status[layer] = {
      state: 'ready',
      count: features.features.length,
      noData: features.noData ?? 0,
      at: Date.parse(features.at) || null,
    };
  }
}
