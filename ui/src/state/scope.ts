// The part of the system that the reader looks at: a project, an environment. In the URL as `project` and `env`; pages put it
// into what they ask with scoped() and scopeParams().
import { computed } from '@preact/signals';
import { addTerm, term } from '../query/write.ts';
import { type Place, place } from './route.ts';

export interface Scope {
  project?: string;
  environment?: string;
}

export function scopeOf(params: URLSearchParams): Scope {
  const project = params.get('project');
  const environment = params.get('env');
  return { ...(project && { project }), ...(environment && { environment }) };
}

export const scope = computed<Scope>(() => scopeOf(place.value.params));

/** What the scope is as terms of a filter. */
export function scopeTerms({ project, environment }: Scope): string[] {
  return [...(project ? [term('project', project)] : []), ...(environment ? [term('environment', environment)] : [])];
}

/** The query within a scope; without one the query as it is. */
export function scoped(query: string, within: Scope = scope.value): string {
  return scopeTerms(within).reduce(addTerm, query);
}

/** The scope as parameters of endpoints that take no query. */
export function scopeParams(within: Scope = scope.value): { project?: string; environment?: string } {
  return { ...within };
}

const KEPT = ['from', 'to', 'project', 'env'];

/** What stays from page to page: range and scope. An entity has none of its own; then it is that of where the reader came from. */
export function keptFrom({ params, trail }: Place): Record<string, string | undefined> {
  const own = KEPT.some((name) => params.has(name));
  const last = trail.at(-1)?.href.split('?')[1];
  const source = own || !last ? params : new URLSearchParams(last);
  return Object.fromEntries(KEPT.map((name) => [name, source.get(name) ?? undefined]));
}

export const kept = computed(() => keptFrom(place.value));
