// Home: what is the matter, in words; the evidence under it; what changed.
import '../styles/home.css';
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { getJson } from '../api/client.ts';
import type { IssueList } from '../api/issues.ts';
import { type Loaded, useLoad } from '../api/load.ts';
import { loadMonitors, type Monitor } from '../api/monitors.ts';
import type { Overview } from '../api/overview.ts';
import { parseInstant } from '../format/time.ts';
import { failing } from '../monitors/words.ts';
import { Foot } from '../parts/Foot.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, StaleNote, useLate } from '../parts/States.tsx';
import { type Ask, useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { go, href, param, setParams } from '../state/route.ts';
import { kept, scope, scoped, scopeParams } from '../state/scope.ts';
import { NoTraces } from '../traces/NoTraces.tsx';
import { HomeCharts, HomeChartsSkeleton } from './Charts.tsx';
import { Differ } from './Differ.tsx';
import { Ingest } from './Ingest.tsx';
import { NEW_ISSUES, NewIssues, useNewIssues } from './Issues.tsx';
import { Lede, LedeSkeleton } from './Lede.tsx';
import { type Details, detailQueries, loadDetails, loadNewLogs, PATTERNS_QUERY } from './load.ts';
import { Deploys, NewInLogs } from './Panes.tsx';
import { Services, serviceHref } from './Services.tsx';
import type { Troubles } from './words.ts';

const BUCKETS = 60;
const SLOW_MS = 20_000;
const MINUTE = 60_000;

/** What reads many records is asked again less often than the numbers that the server keeps ready. */
function slowly(now: number): number {
  return Math.floor(now / SLOW_MS);
}

const REQUESTS = 'spans (kind=(server, consumer) or root=true)';

function asksOf(overview: Overview | undefined, details: Details | undefined): Ask[] {
  const queries = overview && detailQueries(overview.finding);
  const differs = [...new Set(details?.differ?.map((row) => row.among))].map((among) => ({
    query: scoped(`${among} | differ status=error`),
  }));
  const numbers = 'count() as requests, count() if (status=error) as errors, p50(duration) as p50, p95(duration) as p95';
  return [
    {
      what: 'The services; the server keeps these numbers up to date',
      query: scoped(`${REQUESTS} | stats ${numbers} by service | sort errors desc`),
    },
    { what: 'The charts, likewise', query: scoped(`${REQUESTS} | bucket auto | stats ${numbers} by bucket`) },
    ...(queries
      ? [
          { what: 'Users affected', query: queries.users },
          { what: 'What was thrown', query: queries.cause },
          { what: 'What fails, down to the operation', query: queries.names },
          ...differs.map(({ query }) => ({ what: 'What differs there', query })),
        ]
      : []),
    { what: 'New and regressed issues', query: scoped(NEW_ISSUES) },
    { what: 'Patterns in the logs, compared with the time before', query: scoped(PATTERNS_QUERY) },
  ];
}

/** known: undefined when it is not known yet. A list that cannot be loaded has no trouble to tell; that of monitors is given, too, to say so. */
function useTroubles(issues: Loaded<IssueList>): { known: Troubles | undefined; monitors: Loaded<Monitor[]> } {
  const { project, environment } = scope.value;
  const subject = `monitors ${project ?? ''} ${environment ?? ''}`;
  const monitors = useLoad(subject, `${subject} ${slowly(range.value.to)}`, (abort) => loadMonitors(project, abort), true);
  const answered = (one: Loaded<unknown>) => one.data.value !== undefined || one.error.value !== undefined;
  if (!answered(issues) || !answered(monitors)) return { known: undefined, monitors };
  const broken = monitors.data.value?.filter((one) => !one.muted && failing(one)) ?? [];
  return { known: { issues: issues.data.value?.total ?? 0, monitors: broken.map((one) => one.name) }, monitors };
}

export function HomePage() {
  usePage({ here: 'Home', tab: 'home', ranged: true, watch: 'spans root=true', pace: 4000 });
  const overview = useLoad(
    rangeSubject.value,
    rangeKey.value,
    async (abort) => {
      const { from, to } = range.value;
      const answer = await getJson<Overview>('/api/v1/overview', { from, to, buckets: BUCKETS, ...scopeParams() }, abort);
      return { answer, range: { from, to } };
    },
    true,
  );
  const issues = useNewIssues();
  const { known: troubles, monitors } = useTroubles(issues);
  const found = overview.data.value;
  const finding = found?.answer.finding;
  const subject = `${rangeSubject.value} ${finding?.state ?? ''} ${finding?.service ?? ''} ${finding?.since ?? ''}`;
  const details = useLoad(
    subject,
    `${subject} ${found ? slowly(found.range.to) : ''}`,
    async (abort) => (found ? await loadDetails(found.answer, found.range, abort) : undefined),
    false,
  );
  const differ = param('differ') === '1' ? details.data.value?.differ : undefined;
  useAsks(asksOf(found?.answer, details.data.value));
  const services = found?.answer.services ?? [];
  const [selected, setSelected] = useState(-1);
  useLayoutEffect(() => setSelected(-1), [rangeSubject.value]);
  const table = param('view') === 'table';
  const move = (by: number) => {
    const next = Math.max(0, Math.min(services.length - 1, selected + by));
    setSelected(next);
    document.querySelector(`.svt [data-row="${next}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  useKeys('Home', [
    { keys: ['j', 'ArrowDown'], does: 'next service', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous service', run: () => move(-1) },
    {
      keys: ['Enter'],
      does: 'its traces',
      run: () => {
        const row = services[selected];
        if (row) go(serviceHref(row));
      },
    },
    { keys: ['d'], does: 'what differs', run: () => setParams({ differ: param('differ') ? undefined : '1' }, { replace: true }) },
    { keys: ['t'], does: 'charts as tables', run: () => setParams({ view: table ? undefined : 'table' }, { replace: true }) },
  ]);
  const late = useLate(!found && overview.busy.value);
  const error = overview.error.value;
  const unread = monitors.error.value;
  const nothing = found && services.length === 0 && !overview.stale.value;
  return (
    <>
      {error && !found ? (
        <>
          <h1 class="only-read">Home</h1>
          <Failure error={error} retry={refresh} />
        </>
      ) : (
        <div class="home">
          {error && <StaleNote error={error} retry={refresh} />}
          {unread && !error && <StaleNote error={unread} retry={monitors.retry} so="Whether monitors fail is not known." />}
          {found && (troubles || finding?.state !== 'healthy') ? (
            <Lede overview={found.answer} details={details} troubles={troubles} />
          ) : (
            (late || found) && <LedeSkeleton />
          )}
          {finding && differ && differ.length > 0 && <Differ finding={finding} rows={differ} />}
          {nothing ? (
            <Nothing />
          ) : found ? (
            <Evidence
              overview={found.answer}
              span={found.range}
              table={table}
              selected={selected}
              stale={overview.stale.value}
              issues={issues}
            />
          ) : (
            late && <HomeChartsSkeleton />
          )}
        </div>
      )}
      <Foot
        keys={[
          ['j k', 'service'],
          ['Enter', 'its traces'],
          ['t', table ? 'charts' : 'charts as tables'],
          ['g m', 'map'],
          ['?', 'all keys'],
        ]}
      />
    </>
  );
}

interface EvidenceProps {
  overview: Overview;
  span: { from: number; to: number };
  table: boolean;
  selected: number;
  stale: boolean;
  issues: Loaded<IssueList>;
}

function Evidence({ overview, span, table, selected, stale, issues }: EvidenceProps) {
  const { finding, services, deploys } = overview;
  const since = useMemo(
    () => (finding.since ? Math.max(span.from, parseInstant(finding.since).ms) : span.from),
    [finding.since, span.from],
  );
  // Without a deploy to tell the moment, it may have begun within the minute before.
  const well = finding.since && !finding.cause ? since - MINUTE : since;
  // Trends end with the last bucket that is whole.
  const times = overview.series.time;
  const last = times.at(-1);
  const open = last !== undefined && parseInstant(last).ms + overview.step / 1e6 > span.to;
  const whole = open ? times.length - 1 : times.length;
  const subject = `${rangeSubject.value} ${finding.since ?? ''}`;
  const logs = useLoad(subject, `${subject} ${slowly(span.to)}`, (abort) => loadNewLogs(since, well, span, abort), true);
  return (
    <>
      <HomeCharts overview={overview} span={span} table={table} stale={stale} />
      <div class="grid hl">
        <section class="main" aria-label="Services">
          <div class="sec">
            <h2>Services</h2>
            <span class="grow cut">
              {services.length}, worst first{overview.more ? '; there are more' : ''}
            </span>
            <Link href={href('/map', kept.value)}>Service map</Link>
          </div>
          <Services services={services} whole={whole} culprit={finding.cause?.service} selected={selected} stale={stale} />
        </section>
        <div class="side vl">
          <Deploys deploys={deploys} />
          <Ingest />
        </div>
      </div>
      <NewIssues list={issues} />
      <NewInLogs since={since} named={!!finding.since} logs={logs} />
    </>
  );
}

function Nothing() {
  const { project, environment } = scope.value;
  if (!project && !environment) {
    return (
      <>
        <p class="hint indent">
          <Link class="btn p" href="/setup" follow>
            Connect a service
          </Link>
        </p>
        <NoTraces bare />
      </>
    );
  }
  return (
    <div class="say">
      <h2>{[project, environment].filter(Boolean).join(', ')} sent nothing in this range</h2>
      <p>Others may have.</p>
      <button type="button" class="btn" onClick={() => setParams({ project: undefined, env: undefined })}>
        Look at all projects and environments
      </button>
    </div>
  );
}
