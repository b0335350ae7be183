// The way from a line that a logpoint has written to that.
import type { LogRow } from '../api/types.ts';
import { Link } from '../parts/Link.tsx';
import { probeOf } from './code.ts';
import { liveHref } from './links.ts';

export const WRITTEN_BY = 'A logpoint has written it: the program itself has no such line';

export function FromProbe({ row }: { row: LogRow }) {
  const place = probeOf(row);
  if (!place) return null;
  return (
    <Link class="fromprobe" follow href={liveHref(place)} title={WRITTEN_BY}>
      <span class="dia h" aria-hidden="true" />
      probe {place.probe}
    </Link>
  );
}
