// One release: whether it crashes more than the one before, which issues began, came back or ended in it, and what it is made of.
import '../styles/alerts.css';
import '../styles/home.css';
import '../styles/issue.css';
import '../styles/issues.css';
import '../styles/releases.css';
import type { ComponentChildren } from 'preact';
import { type ApiError, runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { type IssuesOf, loadRelease, type ReleaseDetail } from '../api/releases.ts';
import { count, percent, plural } from '../format/number.ts';
import { IssueLine } from '../issues/IssueLine.tsx';
import { Foot } from '../parts/Foot.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, StaleNote, useLate } from '../parts/States.tsx';
import { When } from '../settings/common.tsx';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { go, href, param } from '../state/route.ts';
import { kept, scoped, scopeParams } from '../state/scope.ts';
import { type ErrorRow, ReleaseCharts } from './ReleaseCharts.tsx';
import { Commits, Deploys, Uploads } from './ReleaseSide.tsx';
import { against, crashFree, eventsQuery, packageOf, releaseHref, stepFor } from './words.ts';

const BUCKETS = 60;

export function ReleasePage({ id }: { id: string }) {
  const subject = `${id} ${param('project')} ${param('env')} ${rangeSubject.value}`;
  const load = useLoad(
    subject,
    `${subject} ${rangeKey.value}`,
    (abort) => loadRelease(id, { ...scopeParams(), from: range.value.from, to: range.value.to, buckets: BUCKETS }, abort),
    true,
  );
  const release = load.data.value;
  const mine = release?.version === id ? release : undefined;
  usePage({ here: mine?.short ?? id, title: `${mine?.short ?? id} · Releases`, tab: 'releases', ranged: true });
  const late = useLate(!mine && load.busy.value);
  const error = load.error.value;
  if (error && !mine) {
    if (error.status === 400 && error.code === 'several_releases') return <Which version={id} says={error.message} />;
    return error.status === 404 ? <NoRelease id={id} /> : <Failure error={error} retry={load.retry} />;
  }
  if (!mine) return late ? <SkeletonRows rows={10} height="48px" widths={['30%', '20%', '20%']} /> : <div />;
  return <Shown release={mine} problem={error} retry={load.retry} stale={load.stale.value} />;
}

interface ShownProps {
  release: ReleaseDetail;
  problem: ApiError | undefined;
  retry: () => void;
  stale: boolean;
}

function Shown({ release, problem, retry, stale }: ShownProps) {
  const step = stepFor(range.value.to - range.value.from, BUCKETS);
  const its = scoped(eventsQuery(release));
  const errors = `${its} | bucket ${step / 60_000}m | stats count() as n by bucket`;
  const rows = useLoad(
    `${errors} ${rangeSubject.value}`,
    `${errors} ${rangeKey.value}`,
    async (abort) => (await runQuery<ErrorRow>(errors, range.value, 2 * BUCKETS, abort)).rows,
    true,
  );
  const list = href('/releases', kept.value);
  const issues = href('/issues', { ...kept.value, project: release.project, q: eventsQuery(release, 'issues') });
  useAsks([
    { what: 'Its errors over time', query: errors },
    { what: 'Its events', query: its },
    { what: 'Issues that began in it', query: scoped(eventsQuery(release, 'issues', 'first_release')) },
    { what: 'Its sessions', query: scoped(eventsQuery(release, 'sessions')) },
  ]);
  useKeys('Release', [
    { keys: ['i'], does: 'issues seen in it', run: () => go(issues) },
    { keys: ['b'], does: 'the release before', run: () => release.before && go(before(release)) },
    { keys: ['Escape'], does: 'all releases', run: () => go(list) },
  ]);
  return (
    <>
      <header class="ahead rhd">
        <div class="grow">
          <div class="row">
            <h1 class="cut" title={release.version}>
              {release.short} <span class="d2 rpack">{packageOf(release)}</span>
            </h1>
            {release.status === 'archived' && <span class="pill">archived</span>}
          </div>
          <p class="sm d2 rfacts">
            <span>
              <span class="mono">{release.project}</span>, {release.released ? 'released' : 'made'}{' '}
              <When at={release.released ?? release.created} />
            </span>
            {release.first_event && (
              <span>
                seen from <When at={release.first_event} /> to <When at={release.last_event} />
              </span>
            )}
            {release.before && (
              <span>
                after{' '}
                <Link class="mono" href={before(release)}>
                  {release.before.short}
                </Link>
              </span>
            )}
            {release.ref && <span class="mono cut">{release.ref}</span>}
          </p>
        </div>
        {release.url && /^https?:\/\//.test(release.url) && (
          <a class="btn" href={release.url} rel="noreferrer noopener" target="_blank">
            Its page
          </a>
        )}
        <Link class="btn" href={issues} follow>
          Issues
        </Link>
      </header>
      {problem && <StaleNote error={problem} retry={retry} />}
      <div class="cols issuecols relcols">
        <section class={`left ${stale ? 'stale' : ''}`} aria-label="Its health and issues">
          <Numbers release={release} />
          <ReleaseCharts release={release} errors={rows.data.value} failed={rows.error.value?.message} step={step} />
          <Issues
            title="New in it"
            none="No issue was first seen in it."
            of={release.issues.new}
            all={href('/issues', { ...kept.value, project: release.project, q: eventsQuery(release, 'issues', 'first_release') })}
          />
          <Issues title="Came back in it" none="No resolved issue came back in it." of={release.issues.regressed} />
          <Issues title="Resolved in it" none="No issue is resolved in it." of={release.issues.resolved} />
        </section>
        <aside class="panel vl iside" aria-label="What it is made of">
          <Deploys release={release} />
          <Commits release={release} />
          <Uploads release={release} />
        </aside>
      </div>
      <Foot
        keys={[
          ['i', 'its issues'],
          ['b', 'the one before'],
          ['Esc', 'all releases'],
          ['?', 'all keys'],
        ]}
      />
    </>
  );
}

const before = (release: ReleaseDetail) => releaseHref({ version: release.before?.version ?? '', project: release.project }, kept.value);

function Numbers({ release }: { release: ReleaseDetail }) {
  const { adoption, sessions, before: former } = release;
  return (
    <div class="nums rnums">
      <Share name="crash-free sessions" now={release.crash_free_sessions} was={former?.crash_free_sessions} before={former?.short} />
      <Share
        name={`crash-free users${release.users_approx ? ', about' : ''}`}
        now={release.crash_free_users}
        was={former?.crash_free_users}
        before={former?.short}
      />
      <div title={adoption === undefined ? 'No sessions in this range' : `${percent(adoption)} of the sessions of the project`}>
        <b>{adoption === undefined ? '–' : percent(adoption)}</b>
        <span>adoption, {plural(sessions, 'session')}</span>
      </div>
      <div>
        <b class={release.new_issues ? 'err' : ''}>{count(release.new_issues)}</b>
        <span>new {release.new_issues === 1 ? 'issue' : 'issues'}</span>
      </div>
    </div>
  );
}

function Share({ name, now, was, before }: { name: string; now: number | undefined; was: number | undefined; before: string | undefined }) {
  const change = against(now, was);
  return (
    <div title={was === undefined ? undefined : `${before}: ${crashFree(was)}`}>
      <b>
        {crashFree(now)} {change && <small class={change.worse ? 'err' : 'd3'}>{change.text}</small>}
      </b>
      <span>{name}</span>
    </div>
  );
}

function Issues({ title, none, of, all }: { title: string; none: string; of: IssuesOf; all?: string }) {
  return (
    <section class="newiss hl" aria-label={title}>
      <div class="sec">
        <h2>{title}</h2>
        <span class="grow cut">{of.total > of.list.length ? `the first ${of.list.length} of ${count(of.total)}` : count(of.total)}</span>
        {all && of.total > 0 && (
          <Link href={all} follow>
            In the inbox
          </Link>
        )}
      </div>
      {of.list.length === 0 ? (
        <p class="sm d3 hint rnone">{none}</p>
      ) : (
        <table class="niss">
          <tbody>
            {of.list.map((issue) => (
              <IssueLine issue={issue} where={<td class="mono d3 sm cut">{issue.short}</td>} key={issue.id} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Say({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="say">
      <h1>{title}</h1>
      <p>{children}</p>
      <Link class="btn" href={href('/releases', kept.value)}>
        All releases
      </Link>
    </div>
  );
}

function NoRelease({ id }: { id: string }) {
  return (
    <Say title={`There is no release ${id}`}>
      No event or tool has named it, none has for longer than the retention, or it is of a project that you may not read.
    </Say>
  );
}

function Which({ version, says }: { version: string; says: string }) {
  return (
    <Say title={`Which ${version}?`}>
      {says[0]?.toUpperCase()}
      {says.slice(1).replace(/: .*/, '')}. Choose the project above, or the release in the list.
    </Say>
  );
}
