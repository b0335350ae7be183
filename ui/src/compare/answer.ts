// What /api/v1/compare answers: a call tree that both sides share, and what each has in its rows. Durations are ns.
import type { Value } from '../api/types.ts';
import { count } from '../format/number.ts';

export interface ComparedTrace {
  trace: string;
  root: string;
  service?: string;
  name?: string;
  time: string;
  duration: number;
  spans: number;
  errors: number;
  services: number;
  complete: boolean;
  cut: boolean;
  hidden: number;
}

export interface Percentiles {
  p50: number;
  p95: number;
}

export interface Population {
  service?: string;
  name?: string;
  from: string;
  to: string;
  found: number;
  more: boolean;
  compared: number;
  compared_max: number;
  /** Of those compared, how many took less time. */
  faster: number;
  duration?: Percentiles;
}

/** One trace's spans of a row, together. */
export interface Cell {
  span: string;
  spans: number;
  errors: number;
  from: number;
  to: number;
  duration: number;
  self: number;
  critical: number;
}

/** A population's: of those that have the row, except `critical`, a mean of all. */
export interface ManyCell {
  traces: number;
  error_traces: number;
  spans: number;
  critical: number;
  duration: Percentiles;
  self: Percentiles;
}

export interface AttributeDifference {
  key: string;
  level: 'attr' | 'resource';
  a?: Value;
  b?: Value;
  b_traces?: number;
}

export interface ComparedRow {
  depth: number;
  service?: string;
  name?: string;
  kind?: string;
  b_service?: string;
  b_name?: string;
  a?: Cell;
  b?: Cell | ManyCell;
  attributes: AttributeDifference[];
}

export interface Comparison {
  a: ComparedTrace;
  b?: ComparedTrace;
  population?: Population;
  rows: ComparedRow[];
  cut: boolean;
}

export const isMany = (cell: Cell | ManyCell): cell is ManyCell => 'traces' in cell;

/** How much longer a's critical path stays in the row: over all rows this is the difference of the two durations. */
export function delta(row: ComparedRow): number {
  return (row.a?.critical ?? 0) - (row.b?.critical ?? 0);
}

export function side(row: ComparedRow): 'both' | 'a' | 'b' {
  return row.a && row.b ? 'both' : row.a ? 'a' : 'b';
}

/** The duration that stands for the other side: its own, or the median of many. */
export function durationOfB(row: ComparedRow): number | undefined {
  return row.b && (isMany(row.b) ? row.b.duration.p50 : row.b.duration);
}

export function spansOf(cell: Cell | ManyCell | undefined): number {
  return cell?.spans ?? 0;
}

export function failsOnlyInA(row: ComparedRow): boolean {
  if (!row.a?.errors) return false;
  if (!row.b) return true;
  return isMany(row.b) ? row.b.error_traces * 2 < row.b.traces : row.b.errors === 0;
}

/** Does anything of the row tell the sides apart? A difference below a hundredth of the longer trace does not. */
export function differs(row: ComparedRow, whole: number): boolean {
  if (side(row) === 'a') return true;
  // Nearly every population has rows of its own that this trace did not come by.
  if (!row.a) return !row.b || !isMany(row.b) || row.b.critical > whole / 100;
  if (failsOnlyInA(row) || row.attributes.some((attribute) => attribute.level === 'attr')) return true;
  if (row.b && !isMany(row.b) && row.b.errors > 0 !== row.a.errors > 0) return true;
  return Math.abs(delta(row)) > whole / 100 || Math.round(spansOf(row.a)) !== Math.round(spansOf(row.b));
}

/** A number of spans, which is a mean when it is of many: `14`, `1.5`. */
export function mean(n: number): string {
  const rounded = Math.round(n * 10) / 10;
  return Number.isInteger(rounded) ? count(rounded) : rounded.toFixed(1);
}
