// Clocks of two hosts differ. A server span that lies outside the client span that caused it shows by how much, at least:
// it is moved into the middle of what the client leaves for the two ways over the network, and all of its service below it
// moves along. What differs by less than an ordinary clock can tell is left alone.
import type { SpanNode } from './model.ts';

export interface Correction {
  service: string;
  /** Added to the service's times, ns. */
  shift: number;
}

/** JavaScript's clock ends at the millisecond, so two spans of one host may overlap by nearly that. */
export const TOLERANCE_NS = 1.5e6;

/** Shifts spans in place; spans come parents first. Returns one entry a service that was moved: its largest shift. */
export function correctClocks(spans: SpanNode[]): Correction[] {
  const largest = new Map<string, number>();
  for (const span of spans) {
    const parent = span.parent;
    if (parent?.type !== 'span') continue;
    const crossing = parent.service !== span.service;
    // Below a moved span of the same clock everything moves with it.
    span.shift = crossing ? boundaryShift(parent, span) : parent.shift;
    if (span.shift === 0) continue;
    span.start += span.shift;
    if (Math.abs(span.shift) > Math.abs(largest.get(span.service) ?? 0)) largest.set(span.service, span.shift);
  }
  return [...largest].map(([service, shift]) => ({ service, shift }));
}

function boundaryShift(client: SpanNode, server: SpanNode): number {
  if (client.row.kind !== 'client' || server.row.kind !== 'server') return 0;
  const early = client.start - server.start;
  const late = server.start + server.duration - (client.start + client.duration);
  if (early <= TOLERANCE_NS && late <= TOLERANCE_NS) return 0;
  // It outlives its caller: a timeout, or work that goes on. Only a start before the call is then impossible.
  if (server.duration > client.duration) return early > TOLERANCE_NS ? early : 0;
  return Math.round(client.start + (client.duration - server.duration) / 2 - server.start);
}
