// Issues that may be the same trouble, why, and the way to make them one.
import { Merge } from 'lucide';
import { serverNow } from '../api/client.ts';
import { type IssueDetail, loadSimilar } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { ago, parseInstant } from '../format/time.ts';
import { isWaiting, merge } from '../issues/deeds.ts';
import { issueHref } from '../issues/IssueRows.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { range, rangeKey, rangeSubject } from '../state/live.ts';

export function Similar({ issue }: { issue: IssueDetail }) {
  const found = useLoad(
    `similar ${issue.id} ${rangeSubject.value}`,
    `similar ${issue.id} ${issue.hashes ?? 0} ${rangeKey.value}`,
    (abort) => loadSimilar(issue.id, range.value, abort),
    true,
  );
  const answer = found.data.value;
  const list = answer?.similar.filter((one) => !isWaiting(one.issue.id)) ?? [];
  if (found.error.value && !answer) {
    return (
      <section class="hl" aria-label="Similar issues">
        <div class="sec">
          <h2>Similar</h2>
          <span class="grow" />
          <button type="button" class="link" onClick={found.retry}>
            Retry
          </button>
        </div>
        <p class="hint sm err">{found.error.value.message}</p>
      </section>
    );
  }
  return (
    <section class="hl" aria-label="Similar issues">
      <div class="sec">
        <h2>Similar</h2>
        <span class="grow cut">{answer ? (answer.compared === 0 ? '' : `of ${plural(answer.compared, 'other')}`) : ''}</span>
      </div>
      {list.length === 0 && <p class="hint sm">{answer ? <span class="why">none shares its frames, type and words</span> : '\u00a0'}</p>}
      {list.map(({ issue: other, why }) => (
        <div class="sim" key={other.id}>
          <div class="grow">
            <Link class="plain cut" href={issueHref(other.short)} title={other.title}>
              <span class="mono d3">{other.short}</span> {other.title}
            </Link>
            <p class="xs d3 cut" title={`The same: ${why}`}>
              {why}, {plural(other.total_events ?? other.events, 'event')}, {ago(parseInstant(other.last).ms, serverNow())}
            </p>
          </div>
          <button
            type="button"
            class="btn s"
            title={`Make one issue of ${other.short} and ${issue.short}; it can be taken apart again`}
            aria-label={`Merge ${other.short} and ${issue.short}`}
            onClick={() => merge([issue, other])}
          >
            <Icon icon={Merge} size={14} />
            Merge
          </button>
        </div>
      ))}
    </section>
  );
}
