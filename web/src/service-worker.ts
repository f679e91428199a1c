/// <reference types="@sveltejs/kit" />
/// <reference lib="webworker" />
/**
 * Opens the pages about crowding when there is no connection: a phone that was put away must show its last picture again.
 * It keeps the app itself and what every page begins with; the pictures are kept by `lib/crowd/kept`, with their age. What
 * can be fetched is always fetched.
 */
import { version } from '$service-worker';

const worker = self as unknown as ServiceWorkerGlobalScope;
const CACHE = `polder-app-${version}`;
const SHELL = '/drukte';
const MARK = '/favicon.svg';
/** Asked anew each time, and kept for when nobody answers. */
const STARTS = ['/api/v1/city', '/api/v1/layers', '/api/v1/indicators', '/api/v1/session'];

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([SHELL, MARK])));
  void worker.skipWaiting();
});
worker.addEventListener('activate', (event) => {
  const old = (name: string) => name.startsWith('polder-app-') && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))));
});

async function fresh(request: Request, key: string | Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(key, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw error;
  }
}
/** Files that never change under their name. */
async function once(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== worker.location.origin) return;
  if (request.mode === 'navigate') event.respondWith(fresh(request, SHELL));
  else if (pathname.startsWith('/_app/immutable/')) event.respondWith(once(request));
  else if (STARTS.includes(pathname) || pathname === MARK) event.respondWith(fresh(request, pathname));
});
