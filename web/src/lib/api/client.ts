/** One function for each operation of the map API. Every failure becomes an `ApiError` with words for the screen. */
import type * as api from './types';

type Fetch = typeof fetch;
type Query = Record<string, string | number | null | undefined>;

/** What the server said was wrong (problem+json), or that it could not be reached (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail = '',
    readonly remedy = '',
    /** Everything that the server said, for those who can do something with it. */
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail || title);
    this.name = 'ApiError';
  }
}

/** Whether an error only says that we stopped a request ourselves. */
export const isAbort = (error: unknown) => error instanceof DOMException && error.name === 'AbortError';

/** Address of an operation with its query; empty values are left out. */
export function url(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return `/api/v1${path}${text ? `?${text}` : ''}`;
}

/** Asks the server; `path` comes from `url`. */
export async function request<T>(path: string, init: RequestInit = {}, fetcher: Fetch = fetch): Promise<T> {
  let response: Response;
  try {
    response = await fetcher(path, { ...init, headers: { Accept: 'application/json', ...init.headers } });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, 'unreachable');
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    const { title = response.statusText, detail, remedy } = problem;
    throw new ApiError(response.status, title, detail, remedy, problem);
  }
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const thingPath = (id: string) => `/things/${encodeURIComponent(id)}`;
/** A request with a body, and the proof that this page made it. */
export const json = (body: unknown, csrf: string, method = 'POST'): RequestInit => ({
  method,
  headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
  body: JSON.stringify(body),
});

export const getCity = (fetcher?: Fetch) => request<api.City>(url('/city'), {}, fetcher);
export const getCatalogue = (fetcher?: Fetch) => request<api.Catalogue>(url('/layers'), {}, fetcher);
export const getIndicators = (fetcher?: Fetch) => request<api.Indicator[]>(url('/indicators'), {}, fetcher);
export const getSession = (fetcher?: Fetch) => request<api.Session>(url('/session'), {}, fetcher);
export const getDataSheets = (fetcher?: Fetch) => request<api.DataSheet[]>(url('/data-sheets'), {}, fetcher);
export const getDataSheet = (source: string, fetcher?: Fetch) =>
  request<api.DataSheet>(url(`/data-sheets/${encodeURIComponent(source)}`), {}, fetcher);
export const getSources = (fetcher?: Fetch) => request<api.SourceStatus[]>(url('/sources'), {}, fetcher);
export const getTimeline = () => request<api.Timeline>(url('/timeline'));
export const getFeatures = (layer: string, query: Query, signal?: AbortSignal) =>
  request<api.Features>(url(`/layers/${layer}/features`, query), { signal });
export const getTable = (layer: string, query: Query, signal?: AbortSignal) =>
  request<api.Table>(url(`/layers/${layer}/table`, query), { signal });
export const getThing = (id: string, query: Query, signal?: AbortSignal) =>
  request<api.Thing>(url(thingPath(id), query), { signal });
export const getSeries = (id: string, query: Query, signal?: AbortSignal) =>
  request<api.Series>(url(`${thingPath(id)}/series`, query), { signal });
export const search = (q: string, lang: string, signal?: AbortSignal) =>
  request<api.SearchResults>(url('/search', { q, lang, limit: 16 }), { signal });
export const signIn = (name: string, password: string, csrf: string) =>
  request<void>(url('/session'), json({ name, password }, csrf));
export const signOut = (csrf: string) =>
  request<void>(url('/session'), { method: 'DELETE', headers: { 'X-CSRF-Token': csrf } });
export const setClock = (change: api.ClockChange, csrf: string) =>
  request<api.Clock>(url('/clock'), json(change, csrf));

const userPath = (name: string) => `/users/${encodeURIComponent(name)}`;
export const changePassword = (body: api.NewPassword, csrf: string) =>
  request<void>(url('/session/password'), json(body, csrf, 'PUT'));
export const getUsers = (fetcher?: Fetch) => request<api.User[]>(url('/users'), {}, fetcher);
export const addUser = (body: api.NewAccount, csrf: string) => request<api.User>(url('/users'), json(body, csrf));
export const setRoles = (name: string, roles: string[], csrf: string) =>
  request<api.User>(url(`${userPath(name)}/roles`), json({ roles }, csrf, 'PUT'));
export const removeUser = (name: string, csrf: string) =>
  request<void>(url(userPath(name)), { method: 'DELETE', headers: { 'X-CSRF-Token': csrf } });
export const getTokens = (fetcher?: Fetch) => request<api.Token[]>(url('/tokens'), {}, fetcher);
export const addToken = (body: api.NewToken, csrf: string) => request<api.Token>(url('/tokens'), json(body, csrf));
export const revokeToken = (id: string, csrf: string) =>
  request<void>(url(`/tokens/${encodeURIComponent(id)}`), { method: 'DELETE', headers: { 'X-CSRF-Token': csrf } });
export const getAudit = (after: number, limit: number) => request<api.AuditPage>(url('/audit', { after, limit }));
