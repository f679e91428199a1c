/** How the reader travels over the map: to a thing, a place, the whole city, into 3D, and past the panels. */
import type { SearchResult, Thing } from '$lib/api/types';
import type { CityMap } from './city-map';
import { bounds, homeCamera } from './places';

const MOVE_MS = 900;
/** What the panels on the left and right, and a sheet on a phone, take from the picture. */
const LEFT_PX = 360;
const RIGHT_PX = 404;
const SHEET_PART = 0.46;

export interface Open {
  phone: boolean;
  left: boolean;
  right: boolean;
}

export class Travel {
  /** The thing that was shown last: an update of it does not move the map again. */
  #shown = '';

  constructor(
    private readonly city: CityMap,
    private readonly still: () => boolean,
  ) {}

  get #motion() {
    return { duration: this.still() ? 0 : MOVE_MS, essential: false };
  }
  /** The panels cover part of the map: its middle is the middle of what is left. */
  makeRoom({ phone, left, right }: Open) {
    const padding = {
      left: !phone && left ? LEFT_PX : 0,
      right: !phone && right ? RIGHT_PX : 0,
      top: 72,
      bottom: phone && (left || right) ? innerHeight * SHEET_PART : 96,
    };
    this.city.map.easeTo({ padding, ...this.#motion });
  }
  /** Marks the thing, and moves the map when it lies outside the picture. */
  show(thing: Thing | null) {
    this.city.select(thing?.location ?? null);
    if (thing?.location?.type !== 'Point') return;
    const [lng = 0, lat = 0] = thing.location.coordinates;
    if (thing.id !== this.#shown && !this.city.map.getBounds().contains([lng, lat]))
      this.city.map.easeTo({ center: [lng, lat], ...this.#motion });
    this.#shown = thing.id;
  }
  unmark() {
    this.city.select(null);
  }
  zoomTo(thing: Thing) {
    if (thing.location) this.city.map.fitBounds(bounds(thing.location), { ...this.#motion, maxZoom: 16, padding: 40 });
  }
  goTo(result: SearchResult) {
    const { map } = this.city;
    if (result.bounds) map.fitBounds(result.bounds, { ...this.#motion, maxZoom: 15.5, padding: 24 });
    else map.flyTo({ center: result.location, zoom: Math.max(15.5, map.getZoom()), ...this.#motion });
  }
  /** Tilts the map, and goes near enough to see buildings. */
  tilt(threeD: boolean) {
    const { map } = this.city;
    map.easeTo({
      pitch: threeD ? 58 : 0,
      bearing: threeD ? -18 : 0,
      ...(threeD && map.getZoom() < 14.5 ? { zoom: 15.2 } : {}),
      ...this.#motion,
    });
  }
  home() {
    const { center, zoom } = homeCamera(this.city.city);
    this.city.map.flyTo({ center, zoom, bearing: 0, ...this.#motion });
  }
  zoom(by: 1 | -1) {
    this.city.map.zoomTo(this.city.map.getZoom() + by, this.#motion);
  }
  north() {
    this.city.map.easeTo({ bearing: 0, ...this.#motion });
  }
}
