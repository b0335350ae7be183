// The queries behind the numbers of a service: links from overview and map.
import type { ServiceKind } from '../api/overview.ts';
import { term, writeValue } from './write.ts';

/** Names under which a span says whom it calls. */
const CALLEE = ['peer.service', 'server.address', 'db.system.name', 'messaging.system'];

/** Requests that a service answers: those that came in, and what it began by itself. */
export function entryQuery(service: string): string {
  return `spans ${term('service', service)} (kind=(server, consumer) or root=true)`;
}

export function calleeTerm(name: string): string {
  return `(${CALLEE.map((field) => `${field}=${writeValue(name)}`).join(' or ')})`;
}

/** Calls of something that sends nothing itself. */
export function calleeQuery(name: string): string {
  return `spans kind=(client, producer) ${calleeTerm(name)}`;
}

/** The spans that a row of the overview counts. */
export function requestsQuery(name: string, kind: ServiceKind): string {
  return kind === 'service' ? entryQuery(name) : calleeQuery(name);
}

export function logsQuery(service: string, more = ''): string {
  return `logs ${term('service', service)}${more && ` ${more}`}`;
}

/** At least so long, in whole microseconds: a literal that reads well. */
export function atLeast(ns: number): string {
  return `duration>=${ns >= 1e7 ? `${Math.floor(ns / 1e6)}ms` : `${Math.floor(ns / 1e3)}us`}`;
}
