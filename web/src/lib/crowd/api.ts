/** One function for each operation of the crowd API. */
import { json, request, url } from '$lib/api/client';
import { app } from '$lib/state/app.svelte';
import { orKept } from './kept';
import type * as crowd from './types';

type Fetch = typeof fetch;
const at = (...path: string[]) => url(`/crowd/${path.map(encodeURIComponent).join('/')}`);
const send = (body: unknown, method = 'POST') => json(body, app.session.csrf, method);
const erase = (): RequestInit => ({ method: 'DELETE', headers: { 'X-CSRF-Token': app.session.csrf } });

export const getEvents = (fetcher?: Fetch) => request<crowd.CrowdEvent[]>(at('events'), {}, fetcher);
export const addEvent = (facts: crowd.EventFacts) => request<crowd.EventPlan>(at('events'), send(facts));
export const getPlan = (event: string, fetcher?: Fetch) =>
  orKept(at('events', event), request<crowd.EventPlan>(at('events', event), {}, fetcher));
export const changeEvent = (event: string, facts: crowd.EventFacts & { version: number }) =>
  request<crowd.CrowdEvent>(at('events', event), send(facts, 'PUT'));
export const removeEvent = (event: string, version: number) =>
  request<void>(`${at('events', event)}?version=${version}`, erase());

export const exportAddress = (event: string) => at('events', event, 'export');
export const importPlan = (event: string, collection: unknown, replace: boolean) =>
  request<crowd.EventPlan>(
    `${at('events', event, 'import')}?existing=${replace ? 'replace' : 'refuse'}`,
    send(collection),
  );

const part = (event: string, kind: string, key: string) => at('events', event, 'parts', kind, key);
export const putPart = (event: string, kind: string, key: string, version: number | null, body: crowd.Body) =>
  request<crowd.Part>(part(event, kind, key), send({ version, body }, 'PUT'));
export const removePart = (event: string, { kind, key, version }: crowd.Part) =>
  request<void>(`${part(event, kind, key)}?version=${version}`, erase());

const run = (event: string, id: string, ...rest: string[]) => at('events', event, 'runs', id, ...rest);
export const getRuns = (event: string, fetcher?: Fetch) =>
  orKept(at('events', event, 'runs'), request<crowd.Run[]>(at('events', event, 'runs'), {}, fetcher));
export const startRun = async (event: string, start: crowd.NewRun) => {
  const started = await request<crowd.Run>(at('events', event, 'runs'), send(start));
  // What is kept for a lost connection must know of it too; when that fails, the run goes on all the same.
  void getRuns(event).catch(() => undefined);
  return started;
};
export const changeRun = (event: string, id: string, change: { speed?: number; paused?: boolean }) =>
  request<crowd.Run>(run(event, id), send(change, 'PATCH'));
export const stopRun = (event: string, id: string) => request<crowd.Run>(run(event, id, 'stop'), send({}));
export const pictureAddress = (event: string, id: string) => run(event, id, 'picture');
export const getPicture = (event: string, id: string) => request<crowd.Picture>(pictureAddress(event, id));
export const streamAddress = (event: string, id: string) => run(event, id, 'stream');

const alert = (event: string, id: string, key: number, verb: string) => run(event, id, 'alerts', String(key), verb);
export const acknowledge = (event: string, id: string, key: number) =>
  request<crowd.Alert>(alert(event, id, key, 'acknowledge'), send({}));
export const closeAlert = (event: string, id: string, key: number, reason: string) =>
  // It arrives also when the page is just being left.
  request<crowd.Alert>(alert(event, id, key, 'close'), { ...send({ reason }), keepalive: true });

export const getMeasures = () => orKept(at('measures'), request<crowd.MeasureKind[]>(at('measures')));
export const whatIf = (event: string, id: string, measures: crowd.Measure[]) =>
  request<crowd.Difference[]>(run(event, id, 'what-if'), send({ measures }));
export const decide = (event: string, id: string, measure: crowd.Measure, reason: string) =>
  request<crowd.Decision>(run(event, id, 'decisions'), send({ measure, reason }));
export const getReport = (event: string, id: string, fetcher?: Fetch) =>
  request<crowd.Report>(run(event, id, 'report'), {}, fetcher);
