// What probes have captured in a trace, in words: where, the first values, why one hangs on no span.
import type { SnapshotLine } from '../api/snapshots.ts';
import { safeText } from '../logs/text.ts';
import { shortPlace } from '../snapshots/tree.ts';
import type { ParentNode, SnapshotNode, TraceNode } from './model.ts';

/** `pricing.py:87`, or the function where no file is known. */
export const placeText = (row: SnapshotLine): string => safeText(shortPlace(row) || row.function || 'a place without a name');

const NOTHING = new Set(['None', 'null', 'undefined', 'nil']);

/** The values that are shown beside a mark: what is not there comes first, it explains most. */
export function firstValues(row: SnapshotLine, most: number): [string, string][] {
  const all = Object.entries(row.columns ?? {}).map(([name, value]): [string, string] => [safeText(name), safeText(value)]);
  return [...all.filter(([, value]) => NOTHING.has(value)), ...all.filter(([, value]) => !NOTHING.has(value))].slice(0, most);
}

/** Why it stands where it stands; undefined: its span is here. */
export function strayText({ row, parent }: SnapshotNode): string | undefined {
  if (parent?.type === 'span') return undefined;
  return row.span ? `its span ${row.span.slice(0, 8)} is not here` : 'it names no span';
}

/** Those whose mark stands on a span's bar: its own, and while it is folded those of all below. */
export function capturesOn(span: ParentNode, folded: boolean, snapshots: readonly SnapshotNode[]): SnapshotNode[] {
  return snapshots.filter((one) => one.parent === span || (folded && isBelow(one, span)));
}

function isBelow(node: TraceNode, above: ParentNode): boolean {
  for (let at = node.parent; at; at = at.parent) if (at === above) return true;
  return false;
}
