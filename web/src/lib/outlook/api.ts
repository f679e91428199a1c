/** One function for each operation of the outlook. */
import { request, url } from '$lib/api/client';
import type * as outlook from './types';

type Fetch = typeof fetch;
const at = (...path: string[]) => `/crowd/forecasts${path.map((one) => `/${encodeURIComponent(one)}`).join('')}`;

export const getSets = (fetcher?: Fetch) => request<outlook.ForecastSet[]>(url(at()), {}, fetcher);
export const getWeek = (set: string, fetcher?: Fetch) => request<outlook.Week>(url(at(set, 'week')), {}, fetcher);
export const getNowcast = (set: string, fetcher?: Fetch) =>
  request<outlook.Nowcast>(url(at(set, 'nowcast')), {}, fetcher);
export const getModel = (set: string, fetcher?: Fetch) =>
  request<outlook.ModelCard>(url(at(set, 'model')), {}, fetcher);
export const getForecast = (set: string, series: string, signal?: AbortSignal) =>
  request<outlook.Forecast>(url(at(set, series)), signal ? { signal } : {});
export const getRecord = (set: string, series: string, days: number, signal?: AbortSignal) =>
  request<outlook.SeriesRecord>(url(at(set, series, 'record'), { days }), signal ? { signal } : {});
