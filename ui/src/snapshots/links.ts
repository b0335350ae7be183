// Where snapshots and places of code are looked at.
import { href } from '../state/route.ts';

export interface Place {
  service?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  probe?: string | undefined;
}

/** The live page with the source open at a line, ready to place a probe there. */
export function liveHref({ service, file, line, probe }: Place): string {
  return href('/live', { service, file, line: line ? String(line) : undefined, probe });
}

export const snapshotHref = (id: string): string => `/snapshots/${encodeURIComponent(id)}`;
