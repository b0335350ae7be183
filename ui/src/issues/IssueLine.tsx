// An issue as one line of a small table (class niss): on the home page, on a release.
import type { ComponentChildren } from 'preact';
import { serverNow } from '../api/client.ts';
import type { Issue } from '../api/issues.ts';
import { count } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { IssueSpark, PriorityBars, StatePill } from './Marks.tsx';
import { partsOf, shortType, stateDetail, users } from './words.ts';

/** where: the cell that tells what it belongs to. */
export function IssueLine({ issue, where }: { issue: Issue; where: ComponentChildren }) {
  const { type, value } = partsOf(issue);
  const now = serverNow();
  const last = issue.last ? parseInstant(issue.last).ms : undefined;
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
          <b>{value ? shortType(type) : type}</b> <span class="d2">{value}</span>
        </Link>
      </td>
      {where}
      <td>
        <IssueSpark issue={issue} width={84} />
      </td>
      <td class="r">
        {count(issue.events)} <span class="d3 sm">{issue.events === 1 ? 'event' : 'events'}</span>
      </td>
      <td class="r">
        {users(issue)} <span class="d3 sm">{issue.users === 1 ? 'user' : 'users'}</span>
      </td>
      <td class="r sm d3" title={last === undefined ? undefined : absolute(last)}>
        {last === undefined ? '' : ago(last, now)}
      </td>
    </tr>
  );
}
