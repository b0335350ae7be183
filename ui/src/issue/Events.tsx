// All events of an issue, narrowed by a query; each opens in place.
import { useLayoutEffect, useState } from 'preact/hooks';
import { ApiError, serverNow } from '../api/client.ts';
import { type EventLine, type EventList, loadEvents } from '../api/event.ts';
import type { IssueDetail } from '../api/issues.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { shortRelease } from '../issues/IssueRows.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { param, setParams, withParams } from '../state/route.ts';

const PAGE = 100;

export function Events({ issue }: { issue: IssueDetail }) {
  const written = param('eq') ?? 'events';
  const subject = `${issue.id} ${written} ${rangeSubject.value}`;
  const [more, setMore] = useState<{ events: EventLine[]; next?: string }>();
  const list = useLoad(subject, `${subject} ${rangeKey.value}`, (abort) => ask(issue.id, written, undefined, abort), true);
  useLayoutEffect(() => setMore(undefined), [subject]);
  const answered = list.data.value;
  const error = list.error.value;
  const ofQuery = error?.status === 400 ? error : undefined;
  const late = useLate(!answered && list.busy.value);
  const run = (text: string) => setParams({ eq: text === 'events' || !text ? undefined : text });
  const rows = [...(answered?.events ?? []), ...(more?.events ?? [])];
  const next = more ? more.next : answered?.next;
  const readOn = async () => {
    if (!next) return;
    const page = await ask(issue.id, written, next);
    setMore({ events: [...(more?.events ?? []), ...page.events], ...(page.next && { next: page.next }) });
  };
  return (
    <>
      <div class="bar qline">
        <QueryBar value={written} run={run} error={ofQuery} busy={late} label="Query for events of this issue" />
        <Link class="btn" href={withParams({ view: undefined, eq: undefined })}>
          Back to the event
        </Link>
      </div>
      {ofQuery && <QueryError error={ofQuery} query={written} fix={run} />}
      {error && !ofQuery && !answered ? (
        <Failure error={error} retry={list.retry} />
      ) : !answered ? (
        <div aria-busy="true">{late && <SkeletonRows rows={12} height="28px" widths={['90px', '320px', '80px', '90px']} />}</div>
      ) : rows.length === 0 ? (
        <div class="say">
          <h2>No event matches in this range</h2>
          <p>The issue was last seen {ago(parseInstant(issue.last).ms, serverNow())}.</p>
          <div class="row">
            <button type="button" class="btn" onClick={() => setParams({ from: '-7d', to: undefined })}>
              Look at the last 7 d
            </button>
            {written !== 'events' && (
              <button type="button" class="btn" onClick={() => run('events')}>
                Drop the filter
              </button>
            )}
          </div>
        </div>
      ) : (
        <>
          <table class={`evt ${list.stale.value ? 'stale' : ''}`}>
            <thead class="th">
              <tr>
                <th>When</th>
                <th>Event</th>
                <th>Release</th>
                <th>Environment</th>
                <th>User</th>
                <th>Trace</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row row={row} key={row.event_id} />
              ))}
            </tbody>
          </table>
          {next && (
            <button type="button" class="btn more" onClick={() => void readOn()}>
              Show more
            </button>
          )}
          <p class="only-read" role="status">
            {plural(rows.length, 'event')}
          </p>
        </>
      )}
    </>
  );
}

/** The endpoint takes the filter alone, and counts columns in a query of its own. */
async function ask(issue: number, written: string, cursor?: string, abort?: AbortSignal): Promise<EventList> {
  const { from, to } = range.value;
  const filter = written.replace(/^\s*events\b\s*/, '');
  try {
    return await loadEvents(issue, { from, to, limit: PAGE, ...(filter && { query: filter }), ...(cursor && { cursor }) }, abort);
  } catch (error) {
    if (!(error instanceof ApiError) || error.column === undefined) throw error;
    throw new ApiError(error.status, { code: error.code, message: error.message, ...(error.hint && { hint: error.hint }) });
  }
}

function Row({ row }: { row: EventLine }) {
  const at = parseInstant(row.time).ms;
  return (
    <tr>
      <td class="nw" title={absolute(at)}>
        {ago(at, serverNow())}
      </td>
      <th scope="row">
        <Link class="plain cut" href={withParams({ view: undefined, eq: undefined, event: row.event_id })}>
          {row.title ?? row.event_id}
        </Link>
      </th>
      <td class="mono cut" title={row.release}>
        {row.release ? shortRelease(row.release) : '–'}
      </td>
      <td class="cut">{row.environment ?? '–'}</td>
      <td class="cut" title={row.user}>
        {row.user ?? '–'}
      </td>
      <td class="mono">
        {row.trace ? (
          <Link href={`/traces/${row.trace}`} follow>
            {row.trace.slice(0, 8)}
          </Link>
        ) : (
          '–'
        )}
      </td>
    </tr>
  );
}
