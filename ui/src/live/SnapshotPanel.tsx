// The chosen hit, at the right: everything that it holds, and what has changed since another one.
import { ChevronLeft, ChevronRight } from 'lucide';
import { useLoad } from '../api/load.ts';
import { loadSnapshot, type SnapshotLine } from '../api/snapshots.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows, useLate } from '../parts/States.tsx';
import { snapshotHref } from '../snapshots/links.ts';
import { SnapshotView } from '../snapshots/SnapshotView.tsx';
import { href } from '../state/route.ts';
import { conditionOf } from './expression.ts';

interface Props {
  id: string;
  hits: readonly SnapshotLine[];
  /** The one that it is compared with; without one, the hit before it. */
  other: string | undefined;
  choose: (hit: SnapshotLine) => void;
  use: ((expression: string) => void) | undefined;
}

export function SnapshotPanel({ id, hits, other, choose, use }: Props) {
  const at = hits.findIndex((hit) => hit.id === id);
  const hit = hits[at];
  const [older, newer] = at < 0 ? [] : [hits[at + 1], hits[at - 1]];
  const beside = hits.find((one) => one.id === other) ?? older;
  const one = useLoad(id, id, (abort) => loadSnapshot(id, abort));
  const besideKey = beside?.id ?? '';
  const before = useLoad(besideKey, besideKey, (abort) => (beside ? loadSnapshot(beside.id, abort) : Promise.resolve(undefined)));
  const capture = one.data.value;
  const error = one.error.value;
  const late = useLate(!capture && one.busy.value);
  const time = hit?.time ?? capture?.time;
  const ms = time ? parseInstant(time).ms : undefined;
  const trace = hit?.trace ?? capture?.trace;
  const named = hits.length > 0 && at >= 0 ? ` ${hits.length - at}` : '';
  return (
    <aside class="lsnap vl" aria-label="Snapshot">
      <div class="sec s1h">
        <span class="dia" aria-hidden="true" />
        <h2>Snapshot{named}</h2>
        <span class="grow mono" title={ms === undefined ? undefined : absolute(ms)}>
          {ms !== undefined && clock(ms)}
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
        {trace ? (
          <>
            <span class="d3">in</span>
            <Link class="mono" href={href(`/traces/${trace}`, { span: hit?.span ?? capture?.span })} follow>
              {trace.slice(0, 8)}
            </Link>
          </>
        ) : (
          <span class="d3">in no trace</span>
        )}
        <span class="grow" />
        <Link href={snapshotHref(id)} follow>
          open alone
        </Link>
      </p>
      {error && !capture ? (
        <p class="hsay" role="alert">
          {error.status === 403 ? (
            <>
              Captured values are not shown to you: that takes the scope <code>values</code>.
            </>
          ) : (
            <>
              <span class="err">{error.message}</span> {error.hint}{' '}
              <button type="button" class="link" onClick={one.retry}>
                Retry
              </button>
            </>
          )}
        </p>
      ) : capture ? (
        <SnapshotView
          key={`${id} ${other ?? ''}`}
          capture={capture}
          before={before.data.value}
          first={other && other !== id ? 'changed' : 'variables'}
          beforeName={beside ? nameOfHit(hits, beside) : 'the one before'}
          {...(use && { use: { label: 'Condition', run: (expression, value) => use(conditionOf(expression, value)) } })}
        />
      ) : (
        late && <SkeletonRows rows={10} height="23px" widths={['90px', '140px', '50px']} />
      )}
    </aside>
  );
}

/** Hits are counted from the first that there was. */
function nameOfHit(hits: readonly SnapshotLine[], hit: SnapshotLine): string {
  return String(hits.length - hits.indexOf(hit));
}
