// The one place that talks to the server.
import { signal } from '@preact/signals';
import { LineSplitter } from './ndjson.ts';
import type { Me, Stats } from './types.ts';

/** What an error body says, or what went wrong on the way. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly length: number | undefined;
  readonly suggest: string[];
  /** Which part of the request is meant. */
  readonly place: string | undefined;

  constructor(status: number, body: ErrorBody) {
    super(body.message ?? 'the server gave no reason');
    this.code = body.code ?? 'unknown';
    this.status = status;
    this.hint = body.hint || undefined;
    this.line = body.line;
    this.column = body.column;
    this.length = body.length;
    this.suggest = body.suggest ?? [];
    this.place = body.place;
  }
}

interface ErrorBody {
  code?: string;
  message?: string;
  hint?: string;
  line?: number;
  column?: number;
  length?: number;
  suggest?: string[];
  place?: string;
}

/** undefined: not asked yet; null: nobody is signed in. */
export const me = signal<Me | null | undefined>(undefined);

/** Server's clock minus the reader's, in ms; ranges like "the last hour" are meant on the server's. */
export let clockOffset = 0;

export function serverNow(): number {
  return Date.now() + clockOffset;
}

/** Requests that have not been answered: live updates wait for them. */
export const inFlight = signal(0);

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  inFlight.value++;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', redirect: 'error' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, {
      code: 'unreachable',
      message: 'Clew does not answer.',
      hint: 'Is `clew serve` still running, and is this page open at its address?',
    });
  } finally {
    inFlight.value--;
  }
  const date = Date.parse(response.headers.get('date') ?? '');
  // The header has whole seconds: less than two is no difference.
  if (Number.isFinite(date)) clockOffset = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
  if (!response.ok) throw await toError(response);
  return response;
}

async function toError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { error?: ErrorBody };
  const error = new ApiError(response.status, body.error ?? { message: `The server answered ${response.status}.` });
  if (response.status === 401) me.value = null;
  return error;
}

export async function getJson<T>(path: string, params: Record<string, string | number | undefined> = {}, abort?: AbortSignal): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  const response = await request(text ? `${path}?${text}` : path, { ...(abort && { signal: abort }) });
  return (await response.json()) as T;
}

export async function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body: unknown,
  abort?: AbortSignal,
): Promise<T | undefined> {
  const response = await post(method, path, body, abort);
  const text = await response.text();
  return text ? (JSON.parse(text) as T) : undefined;
}

/** leaving: the request outlives the page, and nobody is there to hear what came of it. */
export async function remove(path: string, leaving: boolean): Promise<void> {
  if (!leaving) {
    await send('DELETE', path, {});
    return;
  }
  const csrf = me.value?.csrf;
  await fetch(path, { method: 'DELETE', keepalive: true, credentials: 'same-origin', headers: { ...(csrf && { 'x-clew-csrf': csrf }) } });
}

function post(method: string, path: string, body: unknown, abort?: AbortSignal): Promise<Response> {
  const csrf = me.value?.csrf;
  return request(path, {
    method,
    headers: { 'content-type': 'application/json', ...(csrf && { 'x-clew-csrf': csrf }) },
    body: JSON.stringify(body),
    ...(abort && { signal: abort }),
  });
}

export interface QueryAnswer<T> {
  rows: T[];
  stats: Stats;
}

/** The text of an answer in pieces as it comes; leaving (abort) cancels the query on the server too. */
export async function getText(
  query: string,
  range: { from: number; to: number },
  limit: number,
  abort: AbortSignal | undefined,
  take: (part: string) => void,
  /** Where an earlier answer stopped (its stats.next). */
  after?: string,
): Promise<void> {
  const body = { query, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), limit, ...(after && { after }) };
  const response = await post('POST', '/api/v1/query', body, abort);
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) break;
    take(decoder.decode(part.value, { stream: true }));
  }
}

/** Runs a query to its end. Rows are read as they come; leaving (abort) cancels it on the server too. */
export async function runQuery<T>(
  query: string,
  range: { from: number; to: number },
  limit: number,
  abort?: AbortSignal,
  /** Where an earlier answer stopped (its stats.next). */
  after?: string,
): Promise<QueryAnswer<T>> {
  const rows: T[] = [];
  let stats: Stats | undefined;
  const splitter = new LineSplitter((line) => {
    const row = JSON.parse(line) as T & { _stats?: Stats; _error?: ErrorBody };
    if (row._stats) stats = row._stats;
    else if (row._error) throw new ApiError(200, row._error);
    else rows.push(row);
  });
  await getText(query, range, limit, abort, (part) => splitter.push(part), after);
  splitter.end();
  if (!stats)
    throw new ApiError(0, { code: 'cut', message: 'The answer was cut off before its end.', hint: 'Retry; the rows may be incomplete.' });
  return { rows, stats };
}
