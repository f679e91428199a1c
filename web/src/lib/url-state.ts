/** The share link: what of the screen is kept in the address, and how. Pure; tested as a round trip. */
import type { Lang } from '$lib/api/types';

export interface Camera {
  lng: number;
  lat: number;
  zoom: number;
  bearing: number;
  pitch: number;
}

export interface Shared {
  camera: Camera | null;
  /** Visible layers with their opacity (0..1); null means: the city's own choice. */
  layers: { id: string; opacity: number }[] | null;
  /** Layer → attribute that colours it (also the chosen indicator). */
  by: Record<string, string>;
  /** The moment shown, ISO 8601; null means: now. */
  at: string | null;
  selected: string | null;
  lang: Lang | null;
  threeD: boolean;
}

const round = (value: number, digits: number) => String(Number(value.toFixed(digits)));

function parseCamera(text: string | null): Camera | null {
  const parts = (text ?? '').split(',').map(Number);
  const [lng, lat, zoom, bearing = 0, pitch = 0] = parts;
  if (lng === undefined || lat === undefined || zoom === undefined || parts.some((part) => !Number.isFinite(part))) {
    return null;
  }
  if (Math.abs(lng) > 180 || Math.abs(lat) > 85 || zoom < 0 || zoom > 24) return null;
  return { lng, lat, zoom, bearing, pitch: Math.min(Math.max(pitch, 0), 85) };
}

function parseLayers(text: string | null): Shared['layers'] {
  if (text === null) return null;
  return text
    .split(',')
    .filter(Boolean)
    .map((entry) => {
      const [id = '', percent] = entry.split(':');
      const opacity = percent === undefined ? 1 : Number(percent) / 100;
      return { id, opacity: opacity >= 0 && opacity <= 1 ? opacity : 1 };
    });
}

function parseBy(text: string | null): Record<string, string> {
  const pairs = (text ?? '').split(',').map((entry) => entry.split('.'));
  return Object.fromEntries(pairs.filter((pair) => pair.length === 2 && pair[0] && pair[1]));
}

/** Reads an address; what makes no sense is left out rather than refused. */
export function parseShared(search: URLSearchParams): Shared {
  const at = search.get('t');
  const lang = search.get('lang');
  return {
    camera: parseCamera(search.get('c')),
    layers: parseLayers(search.get('l')),
    by: parseBy(search.get('by')),
    at: at && !Number.isNaN(Date.parse(at)) ? at : null,
    selected: search.get('s'),
    lang: lang === 'nl' || lang === 'en' ? lang : null,
    threeD: search.get('3d') === '1',
  };
}

/** Writes the query of an address. Characters that are allowed in a query stay readable. */
export function formatShared(shared: Shared): string {
  const parts: string[] = [];
  const { camera } = shared;
  if (camera) {
    const { lng, lat, zoom, bearing, pitch } = camera;
    const turned = bearing || pitch ? `,${round(bearing, 0)},${round(pitch, 0)}` : '';
    parts.push(`c=${round(lng, 5)},${round(lat, 5)},${round(zoom, 2)}${turned}`);
  }
  const list = shared.layers?.map(({ id, opacity }) => (opacity === 1 ? id : `${id}:${Math.round(opacity * 100)}`));
  if (list) parts.push(`l=${list.map(encodeURIComponent).join(',').replaceAll('%3A', ':')}`);
  const by = Object.entries(shared.by).map(([layer, attribute]) => `${layer}.${attribute}`);
  if (by.length) parts.push(`by=${by.map(encodeURIComponent).join(',')}`);
  if (shared.threeD) parts.push('3d=1');
  if (shared.at) parts.push(`t=${shared.at}`);
  if (shared.selected) parts.push(`s=${encodeURIComponent(shared.selected).replaceAll('%3A', ':')}`);
  if (shared.lang) parts.push(`lang=${shared.lang}`);
  return parts.join('&');
}
