/**
 * The map itself: MapLibre with our basemap and the layers of the city. It knows nothing of Svelte: the component gives
 * it a `Picture` and hears of moves, choices and rest through `Events`.
 */
import { Map as MapLibre, type GeoJSONSource, type LayerSpecification, type MapGeoJSONFeature } from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import type { City, Features, Layer } from '$lib/api/types';
import type { Camera } from '$lib/url-state';
import { BASEMAP, basemapLayers, basemapSource, blocks } from './basemap';
import { addImages } from './icons';
import { hasPlaceNames, NAMES_ZOOM, overlayLayers, sourceId, sourceOf, type Overlay } from './overlays';
import type { Palette } from './palette';
import { onePerPlace, PLACE_NAMES, type Named } from './place-names';
import { LABELS, SELECTED, areaNames, selectionLayers } from './marks';
import { reconcile } from './reconcile';

export interface Picture {
  palette: Palette;
  overlays: Overlay[];
  threeD: boolean;
  /** Where real roofs are on the screen instead of blocks. */
  roofs: GeoJSON.MultiPolygon | null;
  /** Area layers whose names are written on the map, the largest areas first. */
  named: string[];
}
export interface Pick {
  id: string;
  layer: string;
  title: string;
}
export interface Events {
  move: (camera: Camera) => void;
  pick: (pick: Pick | null) => void;
  hover: (pick: Pick | null, point: { x: number; y: number }) => void;
  idle: (idle: boolean) => void;
  failed: (layer: string | null) => void;
}

const EMPTY: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
const LOOK_MS = 150;
const REFRESH_MS = 3000;
/** From this zoom the thousands of things in tiles (buildings, trees) are few enough to list. */
const LIST_TILES_ZOOM = 16;
const REACH_PX = { mouse: 5, touch: 16 };

export class CityMap {
  readonly map: MapLibre;
  #layers: LayerSpecification[] = [];
  #byMapLayer = new Map<string, Layer>();
  #tiled = new Set([BASEMAP]);
  #refreshing = new Map<string, ReturnType<typeof setTimeout>>();
  /** Features that were given to the map and not drawn yet. */
  #awaited = new Set<string>();
  #wanted = new Set<string>();
  #written = '';
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor(
    container: HTMLElement,
    readonly city: City,
    camera: Camera,
    private readonly events: Events,
    options: { palette: Palette; still: boolean },
  ) {
    const { lng, lat, zoom, bearing, pitch } = camera;
    const [west, south, east, north] = city.bounds;
    const layers = basemapLayers(options.palette);
    this.map = new MapLibre({
      container,
      style: {
        version: 8,
        sources: {
          [BASEMAP]: basemapSource(city),
          [SELECTED]: { type: 'geojson', data: EMPTY },
          [LABELS]: { type: 'geojson', data: EMPTY },
          [PLACE_NAMES]: { type: 'geojson', data: EMPTY },
        },
        layers,
      },
      center: [lng, lat],
      zoom,
      bearing,
      pitch,
      minZoom: 8.5,
      maxZoom: 19.5,
      maxPitch: 70,
      maxBounds: [west - 0.5, south - 0.3, east + 0.5, north + 0.3],
      attributionControl: false,
      // Tiles are fetched by a worker, which does not know what an address without a host belongs to.
      transformRequest: (url) => ({ url: new URL(url, location.origin).href }),
      fadeDuration: options.still ? 0 : 200,
      canvasContextAttributes: { antialias: true },
      locale: { 'Map.Title': '' },
    });
    this.#layers = layers;
    this.#listen();
  }

  #listen() {
    const { map, events } = this;
    map.on('moveend', () => {
      events.move(this.camera);
      this.#lookForRest();
    });
    map.on('movestart', () => events.idle(false));
    map.on('render', () => this.#lookForRest());
    map.on('error', ({ error, ...rest }) => {
      const source = (rest as { sourceId?: string }).sourceId;
      if (error?.name !== 'AbortError' && source) events.failed(source.replace(/^layer-/, ''));
    });
    map.on('click', ({ point, originalEvent }) => {
      const touch = (originalEvent as PointerEvent).pointerType === 'touch';
      events.pick(this.#at(point, touch ? REACH_PX.touch : REACH_PX.mouse));
    });
    map.on('mousemove', ({ point }) => {
      const pick = this.#at(point, REACH_PX.mouse);
      map.getCanvas().style.cursor = pick ? 'pointer' : '';
      events.hover(pick, point);
    });
    map.on('mouseout', () => events.hover(null, { x: 0, y: 0 }));
  }

  /**
   * MapLibre's own `idle` may never come while live data keep arriving: at rest is "still, with all tiles here". Looks
   * again until that is so.
   */
  #lookForRest() {
    if (this.#looking) return;
    this.#looking = setTimeout(() => {
      this.#looking = undefined;
      const resting = this.#atRest();
      if (resting) this.#writePlaceNames();
      this.events.idle(resting);
      if (!resting) this.#lookForRest();
    }, LOOK_MS);
  }
  /** Writes the names of the stops that are here now; nothing when they are written already. */
  #writePlaceNames() {
    const layers = new Set([...this.#byMapLayer.values()].filter(hasPlaceNames));
    const features = [...layers].flatMap((layer) =>
      onePerPlace(this.#named(layer), this.city.name).map(({ id, name, at }) => ({
        type: 'Feature' as const,
        geometry: { type: 'Point' as const, coordinates: at },
        properties: { layer: layer.id, id, title: name },
      })),
    );
    const written = features.map(({ properties: { id, title } }) => `${id} ${title}`).join();
    if (written === this.#written) return;
    this.#written = written;
    this.map.getSource<GeoJSONSource>(PLACE_NAMES)?.setData({ type: 'FeatureCollection', features });
  }
  #named(layer: Layer): Named[] {
    const near = this.map.getZoom() >= NAMES_ZOOM - 1;
    if (!near || !this.map.getLayer(`${layer.id}-names`)) return [];
    const found = this.map.querySourceFeatures(sourceId(layer), { sourceLayer: layer.sourceLayer });
    return found.flatMap(({ id, geometry, properties }) => {
      const name = properties[layer.style.label ?? 'title'];
      const key = properties.id ?? id;
      if (geometry.type !== 'Point' || !name || key === undefined) return [];
      const [lng = 0, lat = 0] = geometry.coordinates;
      return [{ id: String(key), name: String(name), at: [lng, lat] as [number, number] }];
    });
  }
  remove() {
    clearTimeout(this.#looking);
    for (const timer of this.#refreshing.values()) clearTimeout(timer);
    this.map.remove();
  }

  #atRest(): boolean {
    const { map } = this;
    if (map.isMoving() || ![...this.#tiled].every((id) => map.isSourceLoaded(id))) return false;
    // Live features reload all the time: what counts is that each has been drawn once.
    for (const id of this.#awaited) if (map.isSourceLoaded(id)) this.#awaited.delete(id);
    return this.#awaited.size === 0 && this.#filled;
  }

  get camera(): Camera {
    const { lng, lat } = this.map.getCenter();
    return { lng, lat, zoom: this.map.getZoom(), bearing: this.map.getBearing(), pitch: this.map.getPitch() };
  }

  /** Draws what is asked, from whatever is there now. */
  show(picture: Picture) {
    const { palette, overlays, threeD } = picture;
    const plates = overlays.flatMap(({ layer }) => [
      layer.style.color,
      ...(layer.style.categories ?? []).map((c) => c.color),
    ]);
    addImages(this.map, plates);
    for (const { layer } of overlays) {
      const id = sourceId(layer);
      if (this.map.getSource(id)) continue;
      this.map.addSource(id, sourceOf(layer));
      (layer.delivery === 'tiles' ? this.#tiled : this.#wanted).add(id);
    }
    const placed = overlays.flatMap((overlay) => {
      const parts = overlayLayers(overlay, palette, threeD, picture.roofs);
      for (const { spec } of parts) this.#byMapLayer.set(spec.id, overlay.layer);
      return parts;
    });
    const ownBuildings = overlays.some(({ layer }) => layer.kind === 'building');
    if (threeD && !ownBuildings) placed.push({ slot: 'slot-buildings', spec: blocks(palette, picture.roofs) });
    placed.unshift(...areaNames(picture.named, palette));
    placed.push(...selectionLayers(palette));
    const layers = basemapLayers(palette).flatMap((spec) => [
      ...placed.filter(({ slot }) => slot === spec.id).map((part) => part.spec),
      ...(spec.id === 'buildings' && (ownBuildings || threeD) ? [] : [spec]),
    ]);
    reconcile(this.map, this.#layers, layers);
    this.#layers = layers;
    this.map.setSky(
      threeD
        ? {
            'sky-color': palette.skyTop,
            'horizon-color': palette.skyLow,
            'fog-color': palette.land,
            'sky-horizon-blend': 0.6,
            'horizon-fog-blend': 0.7,
            'fog-ground-blend': 0.8,
          }
        : (undefined as never),
    );
    this.map.setLight({ anchor: 'viewport', color: '#ffffff', intensity: 0.35, position: [1.2, 200, 35] });
  }

  get #filled() {
    return this.#wanted.size === 0;
  }
  setFeatures(layer: string, features: GeoJSON.FeatureCollection | Features) {
    if (this.#wanted.delete(`layer-${layer}`)) this.#awaited.add(`layer-${layer}`);
    this.map.getSource<GeoJSONSource>(`layer-${layer}`)?.setData(features);
  }
  setLabels(labels: GeoJSON.FeatureCollection) {
    this.map.getSource<GeoJSONSource>(LABELS)?.setData(labels);
  }
  /** Tiles of this layer have changed on the server: fetch those in view again, but not more often than a reader can see. */
  refreshTiles(layer: string) {
    const id = `layer-${layer}`;
    if (this.#refreshing.has(id) || this.map.getSource(id)?.type !== 'vector') return;
    const timer = setTimeout(() => {
      this.#refreshing.delete(id);
      if (this.map.getSource(id)) this.map.refreshTiles(id);
    }, REFRESH_MS);
    this.#refreshing.set(id, timer);
  }
  select(geometry: GeoJSON.Geometry | null) {
    const data = geometry ? { type: 'Feature' as const, geometry, properties: {} } : EMPTY;
    this.map.getSource<GeoJSONSource>(SELECTED)?.setData(data);
  }

  #clickable(): string[] {
    return [...this.#byMapLayer.keys()].filter((id) => this.map.getLayer(id));
  }
  #pick(feature: MapGeoJSONFeature): Pick | null {
    const layer = this.#byMapLayer.get(feature.layer.id);
    const { id, title, name } = feature.properties;
    const key = typeof id === 'string' ? id : typeof feature.id === 'string' ? feature.id : null;
    return layer && key ? { id: key, layer: layer.id, title: String(title ?? name ?? key) } : null;
  }
  /** The topmost thing near a point; points win from lines, lines from areas, because they are drawn above them. */
  #at({ x, y }: { x: number; y: number }, reach: number): Pick | null {
    const box: [[number, number], [number, number]] = [
      [x - reach, y - reach],
      [x + reach, y + reach],
    ];
    for (const feature of this.map.queryRenderedFeatures(box, { layers: this.#clickable() })) {
      const pick = this.#pick(feature);
      const area = feature.geometry.type.endsWith('Polygon');
      if (pick && !area) return pick;
    }
    for (const feature of this.map.queryRenderedFeatures([x, y], { layers: this.#clickable() })) {
      const pick = this.#pick(feature);
      if (pick) return pick;
    }
    return null;
  }
  /** Everything on the screen that can be chosen, each thing once. */
  inView(): Pick[] {
    const found = new Map<string, Pick>();
    const near = this.map.getZoom() >= LIST_TILES_ZOOM;
    const layers = this.#clickable().filter((id) => near || this.#byMapLayer.get(id)?.delivery === 'features');
    for (const feature of this.map.queryRenderedFeatures({ layers })) {
      const pick = this.#pick(feature);
      if (pick) found.set(pick.id, pick);
    }
    return [...found.values()];
  }
}
