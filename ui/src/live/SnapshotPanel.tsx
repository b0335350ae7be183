// The chosen hit, at the right.
import { ChevronLeft, ChevronRight } from 'lucide';
import type { Hit } from '../api/probes.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { href } from '../state/route.ts';

interface Props {
  id: string;
  hits: readonly Hit[];
  /** The one that it is compared with. */
  other: string | undefined;
  choose: (hit: Hit) => void;
  use: ((expression: string) => void) | undefined;
}

export function SnapshotPanel({ id, hits, choose }: Props) {
  const at = hits.findIndex((hit) => hit.id === id);
  const hit = hits[at];
  const [older, newer] = [hits[at + 1], hits[at - 1]];
  if (!hit) return null;
  const { ms } = parseInstant(hit.time);
  return (
    <aside class="lsnap vl" aria-label="Snapshot">
      <div class="sec s1h">
        <span class="dia" aria-hidden="true" />
        <h2>Snapshot</h2>
        <span class="grow mono" title={absolute(ms)}>
          {clock(ms)}
        </span>
        <span class="seg s">
          <button type="button" aria-label="Older hit" title="Older (j)" disabled={!older} onClick={() => older && choose(older)}>
            <Icon icon={ChevronLeft} size={12} />
          </button>
          <button type="button" aria-label="Newer hit" title="Newer (k)" disabled={!newer} onClick={() => newer && choose(newer)}>
            <Icon icon={ChevronRight} size={12} />
          </button>
        </span>
      </div>
      <p class="lk sm">
        {hit.trace && (
          <>
            <span class="d3">in</span>
            <Link class="mono" href={href(`/traces/${hit.trace}`, { span: hit.span })} follow>
              {hit.trace.slice(0, 8)}
            </Link>
          </>
        )}
        <Link href={`/snapshots/${id}`} follow>
          everything that it holds
        </Link>
      </p>
      <dl class="lfacts code">
        {Object.entries(hit.columns ?? {}).map(([name, value]) => (
          <div key={name}>
            <dt class="cut">{name}</dt>
            <dd class="cut" title={value}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
