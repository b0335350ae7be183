// New and regressed issues, the most urgent first.
import { type Issue, type IssueList, loadIssues } from '../api/issues.ts';
import { type Loaded, useLoad } from '../api/load.ts';
import { count } from '../format/number.ts';
import { IssueLine } from '../issues/IssueLine.tsx';
import { Link } from '../parts/Link.tsx';
import { useLate } from '../parts/States.tsx';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { href } from '../state/route.ts';
import { kept, scopeParams } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';

export const NEW_ISSUES = 'issues state=(new, regressed, escalating)';
const ROWS = 5;

export function useNewIssues(): Loaded<IssueList> {
  return useLoad(
    rangeSubject.value,
    rangeKey.value,
    (abort) => {
      const { from, to } = range.value;
      return loadIssues({ query: NEW_ISSUES, from, to, sort: 'priority', buckets: 30, limit: ROWS, ...scopeParams() }, abort);
    },
    true,
  );
}

export function NewIssues({ list }: { list: Loaded<IssueList> }) {
  const answered = list.data.value;
  const late = useLate(!answered && list.busy.value);
  const all = href('/issues', kept.value);
  return (
    <section class={`newiss hl ${list.stale.value ? 'stale' : ''}`} aria-label="New and regressed issues">
      <div class="sec">
        <h2>New and regressed issues</h2>
        <span class="grow cut">{answered && answered.total > ROWS ? `the first ${ROWS} of ${count(answered.total)}` : ''}</span>
        <Link href={all}>All issues</Link>
      </div>
      <div class="awaited">
        {list.error.value && !answered ? (
          <p class="sm hint">
            <span class="err">{list.error.value.message}</span> <span class="d2">{list.error.value.hint}</span>{' '}
            <button type="button" class="link" onClick={list.retry}>
              Retry
            </button>
          </p>
        ) : !answered ? (
          late && [0, 1, 2].map((index) => <span class="skel" key={index} style={{ width: `${60 - index * 12}%` }} />)
        ) : answered.issues.length === 0 ? (
          <p class="sm d3 hint">No error of this range is new, has come back or escalates.</p>
        ) : (
          <table class="niss">
            <tbody>
              {answered.issues.map((issue) => (
                <IssueLine issue={issue} where={<Service of={issue} />} key={issue.id} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

function Service({ of }: { of: Issue }) {
  const service = of.services?.[0];
  return <td>{service && <span class={`svc h${hueOf(service)}`}>{service}</span>}</td>;
}
