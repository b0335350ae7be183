// The snapshots of one probe, in the order of time.
import type { SnapshotLine } from '../api/snapshots.ts';

/** The two beside it, in the order of time, of the same probe. */
export function neighbours(lines: readonly SnapshotLine[], id: string): { older?: SnapshotLine; newer?: SnapshotLine } {
  const sorted = [...lines].sort((a, b) => (a.time < b.time ? -1 : 1));
  const at = sorted.findIndex((line) => line.id === id);
  if (at < 0) return {};
  const [older, newer] = [sorted[at - 1], sorted[at + 1]];
  return { ...(older && { older }), ...(newer && { newer }) };
}
