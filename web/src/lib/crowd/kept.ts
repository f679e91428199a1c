/**
 * What this device last saw of an event, with when it saw it: shown when there is no connection, also after the page was
 * opened anew. Only counts are in it. It is gone when somebody signs out.
 */
import { ApiError } from '$lib/api/client';

const CACHE = 'polder-crowd';
const SEEN_AT = 'x-seen-at';

export interface Kept<T> {
  value: T;
  /** When it came in, by this device (ms). */
  at: number;
}
const store = () => ('caches' in globalThis ? caches.open(CACHE) : Promise.reject(new Error('no store')));

/** Keeps an answer under its address. Where nothing can be kept, nothing is. */
export async function keep(address: string, value: unknown, at = Date.now()): Promise<void> {
  try {
    const headers = { 'content-type': 'application/json', [SEEN_AT]: String(at) };
    await (await store()).put(address, new Response(JSON.stringify(value), { headers }));
  } catch {
    // A browser without room for it still shows what comes in.
  }
}
export async function recall<T>(address: string): Promise<Kept<T> | null> {
  try {
    const found = await (await store()).match(address);
    const at = Number(found?.headers.get(SEEN_AT));
    return found && at > 0 ? { value: (await found.json()) as T, at } : null;
  } catch {
    return null;
  }
}
/** An answer, which is kept; or, when nobody answers, what was kept before. What the server says no to is not replaced. */
export async function orKept<T>(address: string, asked: Promise<T>): Promise<T> {
  try {
    const value = await asked;
    void keep(address, value);
    return value;
  } catch (error) {
    const kept = error instanceof ApiError && error.status === 0 ? await recall<T>(address) : null;
    if (kept) return kept.value;
    throw error;
  }
}
/** Forgets all of it, who was signed in too. */
export async function forget(): Promise<void> {
  if (!('caches' in globalThis)) return;
  const all = await caches.keys().catch(() => []);
  const ours = all.filter((name) => name === CACHE || name.startsWith('polder-app-'));
  await Promise.all(ours.map((name) => caches.delete(name))).catch(() => undefined);
}

/** Makes the pages about crowding open without a connection, where the browser can do that. */
export async function workOffline(): Promise<void> {
  if (!('serviceWorker' in navigator) || !('caches' in globalThis)) return;
  try {
    await navigator.serviceWorker.register('/service-worker.js', { scope: '/drukte' });
    await navigator.serviceWorker.ready;
    const cache = (await caches.keys()).find((name) => name.startsWith('polder-app-'));
    const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name));
    // What this page loaded before anybody kept it: a second look, which the browser answers itself.
    const missing = loaded.filter(
      ({ origin, pathname }) => origin === location.origin && pathname.startsWith('/_app/immutable/'),
    );
    const starts = ['/api/v1/city', '/api/v1/layers', '/api/v1/indicators', '/api/v1/session'];
    if (cache)
      await (await caches.open(cache)).addAll([...new Set(missing.map(({ pathname }) => pathname)), ...starts]);
  } catch {
    // Without it everything works but opening anew without a connection.
  }
}
