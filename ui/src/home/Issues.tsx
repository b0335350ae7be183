// New and regressed issues, the most urgent first.
import { serverNow } from '../api/client.ts';
import { type Issue, type IssueList, loadIssues } from '../api/issues.ts';
import { type Loaded, useLoad } from '../api/load.ts';
import { count } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { IssueSpark, PriorityBars, StatePill } from '../issues/Marks.tsx';
import { partsOf, stateDetail, users } from '../issues/words.ts';
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
                <Line issue={issue} key={issue.id} />
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

function Line({ issue }: { issue: Issue }) {
  const { type, value } = partsOf(issue);
  const service = issue.services?.[0];
  const last = parseInstant(issue.last).ms;
  const now = serverNow();
  return (
    <tr>
      <td>
        <PriorityBars priority={issue.priority} />
      </td>
      <td>
        <span title={stateDetail(issue, now)}>
          <StatePill state={issue.state} />
        </span>
      </td>
      <td class="cut">
        <Link class="plain" href={href(`/issues/${issue.short}`, kept.value)} follow title={issue.title}>
          <b>{type}</b> <span class="d2">{value}</span>
        </Link>
      </td>
      <td>{service && <span class={`svc h${hueOf(service)}`}>{service}</span>}</td>
      <td>
        <IssueSpark issue={issue} width={84} />
      </td>
      <td class="r">
        {count(issue.events)} <span class="d3 sm">{issue.events === 1 ? 'event' : 'events'}</span>
      </td>
      <td class="r">
        {users(issue)} <span class="d3 sm">{issue.users === 1 ? 'user' : 'users'}</span>
      </td>
      <td class="r sm d3" title={absolute(last)}>
        {ago(last, now)}
      </td>
    </tr>
  );
}
