// What the map says before it is looked at, and the queries behind it. Pure.
import { signal } from '@preact/signals';
import type { MapEdge, ServiceMap } from '../api/overview.ts';
import { count, duration, percent, plural } from '../format/number.ts';
import { calleeTerm, entryQuery } from '../query/services.ts';
import { term } from '../query/write.ts';

/** From this share of calls on, red. */
export const BAD = 0.01;
/** Fewer say nothing. */
const ENOUGH = 10;

export interface MapWords {
  mood: 'e' | 'k';
  text: string;
  edge?: MapEdge;
}

export function mapWords({ nodes, edges }: ServiceMap): MapWords {
  const services = nodes.filter((node) => node.kind === 'service').length;
  const others = nodes.length - services;
  const failing = edges
    .filter((edge) => edge.requests >= ENOUGH && (edge.error_ratio ?? 0) >= BAD)
    .sort((a, b) => (b.error_ratio ?? 0) - (a.error_ratio ?? 0));
  const worst = failing[0];
  if (!worst) {
    const called = others > 0 ? ` and ${plural(others, 'thing')} that they call` : '';
    return { mood: 'k', text: `${plural(services, 'service')}${called}: no call fails often` };
  }
  const rest = failing.length > 1 ? `, ${plural(failing.length - 1, 'other call')} fail${failing.length === 2 ? 's' : ''} too` : '';
  return {
    mood: 'e',
    text: `${worst.from} to ${worst.to} fails most: ${percent(worst.error_ratio ?? 0)} of ${count(worst.requests)} calls${rest}`,
    edge: worst,
  };
}

/** Can a filter ask for what another query finds? Until it is known, yes. */
export const nests = signal(true);
export const NESTS_QUERY = 'spans parent in {spans | select span} | limit 1';

/** The spans of exactly these calls: at the callee where it sends spans of its own, else at the caller. Without nesting it is all that the callee answered. */
export function callQuery(edge: MapEdge, calleeSends: boolean, more = ''): string {
  const extra = more && ` ${more}`;
  if (!calleeSends) return `spans ${term('service', edge.from)} kind=(client, producer) ${calleeTerm(edge.to)}${extra}`;
  const answered = `spans ${term('service', edge.to)} kind=(server, consumer)${extra}`;
  return nests.value ? `${answered} parent in {spans ${term('service', edge.from)} | select span}` : answered;
}

export function operationsQuery(service: string): string {
  return `${entryQuery(service)} | stats count() as n, count() if (status=error) as bad, p95(duration) as p95 by name | sort n desc | limit 12`;
}

export function timeOf(ns: number | undefined): string {
  return ns === undefined ? 'none' : duration(ns);
}
