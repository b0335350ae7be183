// One issue: an event of it with its stack, source and values, its trace and logs in place, and beside them what is known of all its events.
import '../styles/arm.css';
import '../styles/issues.css';
import '../styles/issue.css';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { serverNow } from '../api/client.ts';
import { type IssueEvent, loadEvent } from '../api/event.ts';
import { changeIssues, type IssueDetail, loadIssue } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import { failure } from '../issues/deeds.ts';
import { openMenu } from '../issues/Menus.tsx';
import { useTrace } from '../issues/Peek.tsx';
import { Foot } from '../parts/Foot.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { param, setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { buildTrace } from '../trace/model.ts';
import { commonQuery } from './common.ts';
import { Events } from './Events.tsx';
import { EventView } from './EventView.tsx';
import { IssueTitle, useDeeds } from './Head.tsx';
import { IssueJoined } from './Joined.tsx';
import { Side } from './Side.tsx';

const BUCKETS = 60;
const NAMED = ['latest', 'recommended', 'oldest'];

export function IssuePage({ id }: { id: string }) {
  const issue = useLoad(
    `${id} ${rangeSubject.value}`,
    `${id} ${rangeKey.value}`,
    (abort) => loadIssue(id, range.value, BUCKETS, abort),
    true,
  );
  const detail = issue.data.value;
  const mine = detail && (detail.short === id || String(detail.id) === id) ? detail : undefined;
  const which = param('event') ?? 'latest';
  // The latest changes with the issue; a chosen one stays.
  const event = useLoad(
    `${id} ${which}`,
    `${id} ${which} ${NAMED.includes(which) ? (mine?.last ?? '') : ''}`,
    async (abort) => ({ which, event: await loadEvent(id, which, abort) }),
    true,
  );
  const shown = event.data.value?.event;
  usePage({
    here: mine?.short ?? id,
    title: mine ? `${mine.title.slice(0, 80)} (${mine.short})` : id,
    tab: 'issues',
    ranged: true,
    ...(mine && { watch: `events issue=${mine.id}` }),
    pace: 3000,
  });
  const error = issue.error.value;
  const late = useLate(!mine && issue.busy.value);
  if (error && !mine) return error.status === 404 ? <NoIssue id={id} /> : <Failure error={error} retry={issue.retry} />;
  if (!mine) return late ? <IssueSkeleton /> : null;
  return (
    <Shown
      key={mine.id}
      issue={mine}
      event={shown?.issue === undefined || shown.issue === mine.id ? shown : undefined}
      which={which}
      settled={event.data.value?.which === which}
      eventError={event.error.value}
      retry={event.retry}
      problem={error}
      stale={event.stale.value}
    />
  );
}

interface ShownProps {
  issue: IssueDetail;
  event: IssueEvent | undefined;
  which: string;
  /** The event is the one that is asked for, not the one before it. */
  settled: boolean;
  eventError: import('../api/client.ts').ApiError | undefined;
  retry: () => void;
  problem: import('../api/client.ts').ApiError | undefined;
  stale: boolean;
}

function Shown({ issue, event, which, settled, eventError, retry, problem, stale }: ShownProps) {
  const answer = useTrace(event?.trace);
  const trace = useMemo(
    () => (answer.data.value && answer.data.value.trace === event?.trace ? buildTrace(answer.data.value) : undefined),
    [answer.data.value, event?.trace],
  );
  const view = param('view') === 'events' ? 'events' : 'event';
  useSeen(issue);
  useAsks([
    { what: 'The issue', query: scoped(`issues id=${issue.id}`) },
    { what: 'Its events', query: scoped(`events issue=${issue.id}`) },
    { what: 'What they have in common', query: scoped(commonQuery(issue.id)) },
    ...(event?.trace
      ? [
          { what: 'The trace of the event', query: `spans trace=${event.trace}`, range: near(event) },
          { what: 'Its logs', query: `logs trace=${event.trace}`, range: near(event) },
          { what: 'What probes captured in it', query: `snapshots trace=${event.trace}`, range: near(event) },
        ]
      : []),
  ]);
  const deeds = useDeeds(issue);
  const step = useSteps(event, which, settled, eventError !== undefined);
  useKeys('Issue', [
    { keys: ['j', 'ArrowRight'], does: 'newer event', run: () => step('next') },
    { keys: ['k', 'ArrowLeft'], does: 'older event', run: () => step('previous') },
    { keys: ['e'], does: 'resolve, or open again', run: deeds.resolve },
    { keys: ['E'], does: 'resolve in a release or commit', run: () => openMenu('resolve') },
    { keys: ['i'], does: 'archive, or open again', run: deeds.archive },
    { keys: ['I'], does: 'archive until', run: () => openMenu('archive') },
    { keys: ['a'], does: 'take it, or give it back', run: deeds.take },
    { keys: ['A'], does: 'assign to somebody', run: () => openMenu('assign') },
    { keys: ['p'], does: 'next priority', run: deeds.priority },
    {
      keys: ['v'],
      does: 'all its events',
      run: () => setParams({ view: view === 'events' ? undefined : 'events', eq: undefined }),
    },
  ]);
  return (
    <>
      <IssueTitle issue={issue} event={event} deeds={deeds} />
      <IssueJoined issue={issue} event={event} trace={trace} failed={answer.error.value !== undefined} />
      {(failure.value ?? problem) && (
        <p class="note sm" role="alert">
          <b>{(failure.value ?? problem)?.message}</b> {(failure.value ?? problem)?.hint}
        </p>
      )}
      <div class="cols issuecols">
        <section class={`left ${stale ? 'stale' : ''}`} aria-label={view === 'events' ? 'Its events' : 'An event'}>
          {view === 'events' ? (
            <Events issue={issue} />
          ) : event ? (
            <EventView key={event.event_id} event={event} which={which} trace={trace} traceError={answer.error.value} reload={retry} />
          ) : eventError ? (
            <Failure error={eventError} retry={retry} />
          ) : (
            <EventSkeleton />
          )}
        </section>
        <Side issue={issue} event={event} />
      </div>
      <Foot
        keys={[
          ['j k', 'newer, older event'],
          ['v', 'all events'],
          ['e', 'resolve'],
          ['i', 'archive'],
          ['a', 'take'],
          ['?', 'all keys'],
        ]}
      />
    </>
  );
}

type Way = 'next' | 'previous';
const STEPS_MOST = 16;

/** To the event's neighbours. Who is faster than the events come has his steps remembered: one is gone with each that comes. */
function useSteps(event: IssueEvent | undefined, which: string, settled: boolean, failed: boolean): (way: Way) => void {
  const wishes = useRef<Way[]>([]);
  const go = (way: Way) => {
    const id = settled && event?.[way];
    if (id) setParams({ event: id, view: undefined }, { replace: true });
    else wishes.current = [];
  };
  // With the drawing: a step that is pressed once the event is there must not be gone before those that wait.
  useLayoutEffect(() => {
    const way = settled ? wishes.current.shift() : undefined;
    if (way) go(way);
  }, [event, settled]);
  useLayoutEffect(() => {
    if (failed) wishes.current = [];
  }, [failed]);
  return (way) => {
    if (settled && event && (param('event') ?? 'latest') === which) go(way);
    else if (!failed && wishes.current.length < STEPS_MOST) wishes.current.push(way);
  };
}

export function near(event: IssueEvent): { from: number; to: number } {
  const at = Date.parse(event.time);
  return { from: at - 3_600_000, to: Math.min(serverNow() + 1000, at + 3_600_000) };
}

/** Who has had it before his eyes for a moment has seen it. */
function useSeen(issue: IssueDetail): void {
  const [told, tell] = useState(false);
  useEffect(() => {
    if (told || issue.seen !== false) return;
    const timer = setTimeout(() => {
      tell(true);
      void changeIssues([issue.id], { seen: true }).catch(() => undefined);
    }, 1500);
    return () => clearTimeout(timer);
  }, [issue.seen, told]);
}

function NoIssue({ id }: { id: string }) {
  return (
    <div class="say">
      <h1>There is no issue {id}</h1>
      <p>
        It may have been merged into another one, its events may be older than the retention, or it is of a project that you may not read.
      </p>
      <a class="btn" href="/issues">
        Go to issues
      </a>
    </div>
  );
}

export function EventSkeleton() {
  return (
    <div aria-busy="true">
      <div class="sec ev">
        <span class="skel" style={{ width: '180px', height: '10px' }} />
      </div>
      <SkeletonRows rows={10} height="22px" widths={['36px', '360px', '120px']} />
    </div>
  );
}

function IssueSkeleton() {
  return (
    <div aria-busy="true" class="issue-skel">
      <div class="ih">
        <div class="grow">
          <span class="skel" style={{ width: '340px', height: '15px' }} />
          <span class="skel" style={{ width: '240px', height: '10px', marginTop: '12px' }} />
        </div>
      </div>
      <div class="joined" />
      <EventSkeleton />
    </div>
  );
}
