// Where the reader is: all of it in the URL, so that every view is a permalink and back works.
import { computed, signal } from '@preact/signals';

/** How the reader got here: the knots of the thread before the present one. Kept in the history entry, so back and reload have it. */
export interface Knot {
  label: string;
  href: string;
}

export interface Place {
  path: string;
  params: URLSearchParams;
  trail: Knot[];
}

function read(): Place {
  const state = history.state as { trail?: Knot[] } | null;
  return { path: location.pathname, params: new URLSearchParams(location.search), trail: state?.trail ?? [] };
}

const browser = typeof window !== 'undefined';
export const place = signal<Place>(browser ? read() : { path: '/', params: new URLSearchParams(), trail: [] });
export const path = computed(() => place.value.path);

if (browser) addEventListener('popstate', () => (place.value = read()));

export interface Go {
  replace?: boolean;
  trail?: Knot[];
}

export function go(href: string, options: Go = {}): void {
  const state = { trail: options.trail ?? [] };
  if (options.replace) history.replaceState(state, '', href);
  else history.pushState(state, '', href);
  place.value = read();
}

/** The present page with some parameters changed; undefined removes one. */
export function withParams(changes: Record<string, string | undefined>): string {
  const params = new URLSearchParams(place.value.params);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') params.delete(name);
    else params.set(name, value);
  }
  return href(place.value.path, params);
}

export function setParams(changes: Record<string, string | undefined>, options: { replace?: boolean } = {}): void {
  const to = withParams(changes);
  if (to !== place.value.path + location.search) go(to, { ...options, trail: place.value.trail });
}

export function href(to: string, params: URLSearchParams | Record<string, string | undefined> = {}): string {
  const list = params instanceof URLSearchParams ? params : new URLSearchParams();
  if (!(params instanceof URLSearchParams)) for (const [name, value] of Object.entries(params)) if (value) list.set(name, value);
  const text = list.toString();
  return text ? `${to}?${text}` : to;
}

export function param(name: string): string | undefined {
  return place.value.params.get(name) ?? undefined;
}

/** For a link to an entity: the same range, and the thread grows by the present page. */
export function followTo(to: string, here: string): void {
  const trail = [...place.value.trail, { label: here, href: place.value.path + location.search }];
  go(to, { trail: trail.slice(-4) });
}

/** Plain clicks stay in the page; with a modifier the browser does what it always does. */
export function plainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey && !event.defaultPrevented;
}
