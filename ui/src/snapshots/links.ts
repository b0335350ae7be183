// Where snapshots and places of code are looked at.
import { seenOf } from '../live/seen.ts';
import { href } from '../state/route.ts';

export interface Place {
  service?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  probe?: string | undefined;
  /** What stood in the line where it was seen. */
  text?: string | undefined;
}

/** The live page with the source open at a line, ready to place a probe there. */
export function liveHref({ service, file, line, probe, text }: Place): string {
  return href('/live', { service, file, line: line ? String(line) : undefined, probe, seen: line ? seenOf(text) : undefined });
}

export const snapshotHref = (id: string): string => `/snapshots/${encodeURIComponent(id)}`;
