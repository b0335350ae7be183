// What is known of all events of the issue: how many, since when, by whose change, whom it hits, why they are one, what was done.
import { GitCommitHorizontal, UsersRound } from 'lucide';
import { useMemo, useState } from 'preact/hooks';
import { runQuery, serverNow } from '../api/client.ts';
import type { IssueEvent } from '../api/event.ts';
import type { IssueDetail } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import { TimeChart } from '../charts/TimeChart.tsx';
import { count, percent, plural } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { shortRelease } from '../issues/IssueRows.tsx';
import { initials, users } from '../issues/words.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { setParams, withParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { Activity } from './Activity.tsx';
import { type Common, commonOf, commonQuery, type FacetRow } from './common.ts';
import { ofMonitor } from './frames.ts';
import { Groups, Why } from './Grouping.tsx';
import { Similar } from './Similar.tsx';

export function Side({ issue, event }: { issue: IssueDetail; event: IssueEvent | undefined }) {
  return (
    <aside class="panel vl iside" aria-label="The issue">
      <Numbers issue={issue} />
      <Chart issue={issue} />
      <SuspectCommit issue={issue} />
      <Owner issue={issue} />
      <InCommon issue={issue} />
      <Users issue={issue} />
      <Releases issue={issue} />
      <Why event={event} />
      <Groups issue={issue} />
      {!ofMonitor(issue.type) && <Similar issue={issue} />}
      <Activity issue={issue} />
    </aside>
  );
}

export const eventsWhere = (terms: string) => withParams({ view: 'events', event: undefined, eq: `events ${terms}` });

function Numbers({ issue }: { issue: IssueDetail }) {
  const now = serverNow();
  const first = parseInstant(issue.first).ms;
  const all = issue.total_events !== undefined && issue.total_events !== issue.events;
  return (
    <div class="nums">
      <Link class="plain" href={withParams({ view: 'events', event: undefined, eq: undefined })}>
        <b>{count(issue.events)}</b>
        <span>{all ? `of ${plural(issue.total_events ?? 0, 'event')}` : issue.events === 1 ? 'event' : 'events'}</span>
      </Link>
      <div>
        <b>{users(issue)}</b>
        <span>
          {issue.total_users !== undefined && issue.total_users !== issue.users
            ? `of ${plural(issue.total_users, 'user')}`
            : issue.users === 1
              ? 'user'
              : 'users'}
        </span>
      </div>
      <div title={`first ${absolute(first)}, last ${absolute(parseInstant(issue.last).ms)}`}>
        <b>{ago(first, now).replace(' ago', '')}</b>
        <span>old</span>
      </div>
      <div title={issue.first_release}>
        <b class="cut">{issue.first_release ? shortRelease(issue.first_release) : '–'}</b>
        <span>first release</span>
      </div>
    </div>
  );
}

function Chart({ issue }: { issue: IssueDetail }) {
  const series = issue.series;
  const { times, step } = useMemo(() => {
    const at = (series?.time ?? []).map((time) => parseInstant(time).ms);
    return { times: at, step: at.length > 1 ? (at[1] as number) - (at[0] as number) : 60_000 };
  }, [series]);
  if (!series || times.length === 0) return null;
  const span = { from: times[0] as number, to: (times.at(-1) as number) + step };
  const deployed = (issue.releases ?? []).flatMap((release) => {
    if (!release.release) return [];
    const at = release.first ? parseInstant(release.first).ms : undefined;
    return at !== undefined && at >= span.from && at <= span.to
      ? [{ at, label: shortRelease(release.release), bad: at === firstOf(issue) }]
      : [];
  });
  return (
    <div class="ichart">
      <TimeChart
        title="Events"
        unit={`each ${step >= 3_600_000 ? `${Math.round(step / 3_600_000)} h` : step >= 60_000 ? `${Math.round(step / 60_000)} min` : `${Math.round(step / 1000)} s`}`}
        times={times}
        step={step}
        range={span}
        series={[{ label: 'events', values: series.events, look: 'bars', tone: 'error' }]}
        marks={deployed}
        tick={(n) => count(n)}
        format={(n) => plural(n, 'event')}
        says={`${plural(issue.events, 'event')} in this range`}
        left={40}
      />
    </div>
  );
}

const firstOf = (issue: IssueDetail) => parseInstant(issue.first).ms;

function SuspectCommit({ issue }: { issue: IssueDetail }) {
  const { suspect } = issue;
  return (
    <section class="sus" aria-label="Suspect commit">
      <span class="th">Suspect commit</span>
      {suspect ? (
        <>
          <p class="row cm">
            <Icon icon={GitCommitHorizontal} size={16} />
            <code title={suspect.id}>{suspect.id.slice(0, 8)}</code>
            <span class="cut grow" title={suspect.message}>
              {suspect.message}
            </span>
          </p>
          <p class="row sm d2">
            {suspect.author && <span class="av sm1">{initials(suspect.author)}</span>}
            <span class="cut">
              {[suspect.author, suspect.time && ago(parseInstant(suspect.time).ms, serverNow())].filter(Boolean).join(', ')}
              {suspect.release && (
                <>
                  , in <code>{suspect.release}</code>
                </>
              )}
            </span>
          </p>
          {suspect.file && (
            <p class="xs d3 cut" title={suspect.file}>
              {suspect.by === 'blame' ? 'last wrote ' : 'newest to touch '}
              <code>{suspect.by === 'blame' ? `${suspect.file}:${suspect.line}` : suspect.file}</code>
            </p>
          )}
        </>
      ) : (
        <p class="sm">
          <span class="why">
            {issue.first_release ? 'no commit of the release is known to touch it' : 'events name no release, so no commit can be found'}
          </span>
        </p>
      )}
    </section>
  );
}

function Owner({ issue }: { issue: IssueDetail }) {
  const owners = issue.owners ?? [];
  return (
    <section class="sus" aria-label="Owner">
      <span class="th">Owner</span>
      {owners.map((owner) => (
        <p class="row cm" key={`${owner.kind} ${owner.name}`}>
          <span class={`av sm1 ${owner.kind === 'team' ? 't' : ''}`}>
            {owner.kind === 'team' ? <Icon icon={UsersRound} size={12} /> : initials(owner.name)}
          </span>
          <span class="grow cut">{owner.name}</span>
          {owner.rule && (
            <span class="xs d3 mono cut" title={owner.rule}>
              {owner.rule}
            </span>
          )}
        </p>
      ))}
      {owners.length === 0 && (
        <p class="sm">
          <span class="why">no rule of the project names one for these files</span>
        </p>
      )}
    </section>
  );
}

const FIELDS = 8;

function InCommon({ issue }: { issue: IssueDetail }) {
  const query = scoped(commonQuery(issue.id));
  const found = useLoad(
    `${query} ${rangeSubject.value}`,
    `${query} ${rangeKey.value}`,
    async (abort) => commonOf((await runQuery<FacetRow>(query, range.value, 5000, abort)).rows),
    true,
  );
  const rows = found.data.value;
  const [all, setAll] = useState(false);
  const open = rows?.slice(0, all ? rows.length : FIELDS) ?? [];
  const left = (rows?.length ?? 0) - open.length;
  return (
    <section class="hl" aria-label="What it has in common">
      <div class="sec">
        <h2>What it has in common</h2>
        <span class="grow cut">{rows && rows.length > 0 ? plural(rows.length, 'field') : ''}</span>
        <Link href={withParams({ view: 'events', event: undefined, eq: undefined })}>Events</Link>
      </div>
      <div class="tgs">
        {open.map((one) => (
          <Field one={one} key={one.field} />
        ))}
        {left > 0 && (
          <button type="button" class="link more1" onClick={() => setAll(true)}>
            {left} more
          </button>
        )}
        {rows && rows.length === 0 && (
          <p class="hint sm">
            <span class="why">no tag or attribute in this range</span>
          </p>
        )}
        {found.error.value && !rows && <p class="hint sm err">{found.error.value.message}</p>}
      </div>
    </section>
  );
}

const SHADES = [1, 0.55, 0.3, 0.18];

function Field({ one }: { one: Common }) {
  const value = String(one.top.value);
  return (
    <details class="tg0">
      <summary class="tg1">
        <span class="d3 cut" title={one.field}>
          {one.field}
        </span>
        <span class="tb1" aria-hidden="true">
          {one.values.slice(0, 4).map((part, index) => (
            <i key={index} style={{ width: `${part.share * 100}%`, opacity: SHADES[index] }} />
          ))}
        </span>
        <span class="cut" title={value}>
          {value}
        </span>
        <span class="r">{percent(one.top.share)}</span>
      </summary>
      {one.values.map((part) => (
        <Link class="tg1 deep" key={String(part.value)} href={eventsWhere(term(one.field, part.value))}>
          <span />
          <span class="tb1" aria-hidden="true">
            <i style={{ width: `${part.share * 100}%` }} />
          </span>
          <span class="cut" title={String(part.value)}>
            {String(part.value)}
          </span>
          <span class="r">{percent(part.share)}</span>
        </Link>
      ))}
    </details>
  );
}

interface TopUser {
  id: string;
  label?: string;
  events: number;
  last: string;
}

// So many the server counts by themselves; of more it knows who came most, but not how often.
const TOP_USERS_EXACT = 16;

function Users({ issue }: { issue: IssueDetail }) {
  const known = issue.top_users ?? [];
  const query = scoped(`events issue=${issue.id} | stats count() as events, max(time) as last by user | sort events desc | limit 5`);
  const counted = useLoad(
    `${query} ${rangeSubject.value}`,
    `${query} ${rangeKey.value}`,
    async (abort) =>
      known.length < TOP_USERS_EXACT
        ? []
        : (await runQuery<{ user?: string; events: number; last: string }>(query, range.value, 5, abort)).rows
            .filter((row) => row.user !== undefined)
            .map((row): TopUser => ({ id: row.user ?? '', events: row.events, last: row.last })),
    true,
  );
  const top: TopUser[] = known.length < TOP_USERS_EXACT ? known : (counted.data.value ?? []);
  return (
    <section class="hl" aria-label="Users">
      <div class="sec">
        <h2>Users</h2>
        <span class="grow">
          {issue.total_users !== undefined && issue.total_users > (issue.users ?? 0)
            ? `${users(issue)} in this range, ${count(issue.total_users)} in all`
            : `${users(issue)} affected`}
        </span>
      </div>
      {known.length === 0 ? (
        <p class="hint sm">
          <span class="why">its events name nobody: set_user of an SDK tells whom it hits</span>
        </p>
      ) : (
        <table class="us">
          <tbody>
            {top.slice(0, 5).map((user) => (
              <tr key={user.id}>
                <td class="cut">
                  <Link class="plain" href={eventsWhere(term('user', user.id))} title={user.label ?? user.id}>
                    {user.label ?? user.id}
                  </Link>
                </td>
                <td class="r">{count(user.events)}</td>
                <td class="r d3">{ago(parseInstant(user.last).ms, serverNow())}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Releases({ issue }: { issue: IssueDetail }) {
  // Those beyond what is kept apart come as one, without a name.
  const releases = (issue.releases ?? []).filter((one) => one.release);
  const most = Math.max(1, ...releases.map((one) => one.events));
  if (releases.length === 0) return null;
  return (
    <section class="hl" aria-label="Releases">
      <div class="sec">
        <h2>Releases</h2>
        <span class="grow">{plural(releases.length, 'release')}</span>
        <button type="button" class="link" onClick={() => setParams({ view: 'events', event: undefined })}>
          Events
        </button>
      </div>
      <div class="tgs">
        {releases.slice(0, 6).map((one) => (
          <Link class="tg1 rel1" href={eventsWhere(term('release', one.release))} key={one.release}>
            <span class="mono cut" title={one.release}>
              {shortRelease(one.release)}
            </span>
            <span class="tb1" aria-hidden="true">
              <i style={{ width: `${(one.events / most) * 100}%` }} />
            </span>
            <span class="d3 cut">{one.last ? ago(parseInstant(one.last).ms, serverNow()) : ''}</span>
            <span class="r">{count(one.events)}</span>
          </Link>
        ))}
      </div>
    </section>
  );
}
