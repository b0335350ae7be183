// The rows of the inbox.
import { Check, Minus } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { serverNow } from '../api/client.ts';
import type { Issue } from '../api/issues.ts';
import { count } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows } from '../parts/States.tsx';
import { hold } from '../state/live.ts';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import { Avatar, IssueSpark, PriorityBars, StatePill } from './Marks.tsx';
import { age, partsOf, shortType, stateDetail, users } from './words.ts';

export const issueHref = (short: string) => href(`/issues/${short}`, kept.value);

interface HeadProps {
  rangeName: string;
  all: 'none' | 'some' | 'all';
  toggleAll: () => void;
  /** Instead of the first columns' names. */
  bulk?: ComponentChildren;
}

export function IssueHead({ rangeName, all, toggleAll, bulk }: HeadProps) {
  return (
    <div class={`it head th ${bulk ? 'bulkh' : ''}`}>
      <CheckBox state={all} label={all === 'none' ? 'Select all' : 'Select none'} change={toggleAll} />
      {bulk || (
        <>
          <span />
          <span>Issue</span>
          <span class="stt">State</span>
        </>
      )}
      <span class="sp">{rangeName}</span>
      <span class="r">Events</span>
      <span class="r">Users</span>
      <span class="ag">Last seen</span>
      <span class="rel">First in</span>
      <span class="as" />
    </div>
  );
}

function CheckBox({ state, label, change }: { state: 'none' | 'some' | 'all'; label: string; change: (range: boolean) => void }) {
  return (
    <button
      type="button"
      class={`cb ${state === 'none' ? '' : 'on'}`}
      role="checkbox"
      aria-checked={state === 'all' ? true : state === 'some' ? 'mixed' : false}
      aria-label={label}
      onClick={(event) => {
        event.stopPropagation();
        change(event.shiftKey);
      }}
    >
      <span>{state !== 'none' && <Icon icon={state === 'all' ? Check : Minus} size={12} />}</span>
    </button>
  );
}

interface Props {
  issues: readonly Issue[];
  chosen: number;
  checked: ReadonlySet<number>;
  stale: boolean;
  choose: (index: number) => void;
  /** range: from the last one that was checked to this one. */
  check: (index: number, range: boolean) => void;
  more?: (() => void) | undefined;
  left: number;
  busy: boolean;
}

export function IssueRows({ issues, chosen, checked, stale, choose, check, more, left, busy }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const id = issues[chosen]?.id;
  useEffect(() => {
    box.current?.querySelector('.it.sel')?.scrollIntoView({ block: 'nearest' });
  }, [id]);
  return (
    <div class={`scroll grow itlist ${stale ? 'stale' : ''}`} ref={box} tabIndex={0} role="region" aria-label="Issues" onPointerMove={hold}>
      <ul>
        {issues.map((issue, index) => (
          <Row
            key={issue.id}
            issue={issue}
            selected={index === chosen}
            checked={checked.has(issue.id)}
            choose={() => choose(index)}
            check={(range) => check(index, range)}
          />
        ))}
      </ul>
      {more && (
        <button type="button" class="btn more" disabled={busy} onClick={more}>
          {busy ? 'Reading more' : `Show more, ${count(left)} left`}
        </button>
      )}
    </div>
  );
}

interface RowProps {
  issue: Issue;
  selected: boolean;
  checked: boolean;
  choose: () => void;
  check: (range: boolean) => void;
}

function Row({ issue, selected, checked, choose, check }: RowProps) {
  const now = serverNow();
  const { type, value } = partsOf(issue);
  const last = parseInstant(issue.last).ms;
  const first = parseInstant(issue.first).ms;
  const service = issue.services?.[0];
  const detail = stateDetail(issue, now);
  return (
    <li
      class={`it ${selected ? 'sel' : ''} ${checked ? 'chk' : ''} ${issue.seen === false ? 'unseen' : ''}`}
      aria-current={selected ? 'true' : undefined}
      data-issue={issue.short}
      onClick={(event) => {
        if ((event.target as HTMLElement).closest('a, button')) return;
        if (event.shiftKey) check(true);
        else choose();
      }}
    >
      <CheckBox state={checked ? 'all' : 'none'} label={`Select ${issue.short}`} change={check} />
      <PriorityBars priority={issue.priority} />
      <span class="tt">
        <Link class="row t" href={issueHref(issue.short)} follow title={issue.title}>
          <b class={value ? 'cut tyn' : 'cut tyn whole'} dir="auto">
            {value ? shortType(type) : type}
          </b>
          {value && (
            <span class="cut d2" dir="auto">
              {value}
            </span>
          )}
        </Link>
        <span class="row sm d3 where">
          {service && (
            <span class={`svc cut h${hueOf(service)}`} title={service}>
              {service}
            </span>
          )}
          {(issue.services?.length ?? 0) > 1 && (
            <span class="nw" title={issue.services?.join(', ')}>
              +{(issue.services?.length ?? 1) - 1}
            </span>
          )}
          {issue.culprit !== service && (
            <span class="mono cut" title={issue.culprit}>
              {issue.culprit || issue.short}
            </span>
          )}
          {detail && !/^back after/.test(detail) && <span class="xs cut det">{detail}</span>}
        </span>
      </span>
      <span class="stt">
        <StatePill state={issue.state} />
      </span>
      <span class="sp">
        <IssueSpark issue={issue} />
      </span>
      <span class="r num" title={issue.total_events === undefined ? undefined : `${count(issue.total_events)} in all`}>
        {count(issue.events)}
      </span>
      <span class="r num" title={issue.total_users === undefined ? undefined : `${count(issue.total_users)} in all`}>
        {users(issue)}
      </span>
      <span class="ag">
        <span title={absolute(last)}>{ago(last, now)}</span>
        <span class="d3 xs cut" title={`first seen ${absolute(first)}`}>
          {issue.state === 'regressed' && /^back after/.test(issue.reason ?? '')
            ? (issue.reason ?? '').replace(/ in .*$/, '')
            : age(issue, now)}
        </span>
      </span>
      <span class="mono d2 rel cut" title={issue.first_release}>
        {issue.first_release ? shortRelease(issue.first_release) : <span class="d3">–</span>}
      </span>
      <span class="as">
        <Avatar of={issue.assignee} />
      </span>
    </li>
  );
}

/** `shop@1.4.2+77` without what the row says already. */
export function shortRelease(release: string): string {
  const version = release.slice(release.indexOf('@') + 1).replace(/\+.*$/, '');
  return /^[0-9a-f]{16,40}$/.test(version) ? version.slice(0, 8) : version;
}

export function IssueRowsSkeleton({ visible }: { visible: boolean }) {
  return (
    <div aria-busy="true">
      {visible && <SkeletonRows rows={12} height="51px" widths={['14px', '14px', '320px', '56px', '96px', '40px']} />}
    </div>
  );
}
