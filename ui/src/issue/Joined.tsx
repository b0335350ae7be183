// One knot for each kind of record this issue is tied to; a dashed one says what is missing and why.
import type { ComponentChildren } from 'preact';
import { type IssueEvent, probedOf } from '../api/event.ts';
import type { IssueDetail } from '../api/issues.ts';
import { count, plural } from '../format/number.ts';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { href, withParams } from '../state/route.ts';
import { minuteAround } from '../trace/Head.tsx';
import type { TraceModel } from '../trace/model.ts';

interface Props {
  issue: IssueDetail;
  event: IssueEvent | undefined;
  trace: TraceModel | undefined;
  failed: boolean;
}

export function IssueJoined({ issue, event, trace, failed }: Props) {
  const about = trace && minuteAround(trace);
  const span = about && { from: String(about.from), to: String(about.to) };
  const spans = trace?.spans.length ?? 0;
  const others = new Set(trace?.events.map((node) => node.row.event_id).filter((id) => id !== event?.event_id)).size;
  return (
    <nav class="joined scroll" aria-label="Joined to this issue" tabIndex={0}>
      <Link class="knot here" href={withParams({ view: 'events', event: undefined })} title="All its events (v)">
        <span class="k" />
        <b>Issue</b> {plural(issue.events, 'event')}
      </Link>
      {!event ? (
        <Missing>Trace</Missing>
      ) : event.trace && spans > 0 ? (
        <Knot to={href(`/traces/${event.trace}`, { span: event.span, event: event.event_id })} name="Trace">
          {event.trace.slice(0, 8)}
        </Knot>
      ) : failed ? (
        <Missing>Trace, could not be asked</Missing>
      ) : event.trace && !trace ? (
        <Missing>Trace</Missing>
      ) : (
        <Missing>
          Trace,{' '}
          {event.trace ? 'its spans were not sent or not sampled' : probedOf(event) ? 'it was raised outside of one' : 'the SDK had none'}
        </Missing>
      )}
      {trace && trace.logs.length > 0 ? (
        <Knot to={href('/logs', { q: `logs ${term('trace', trace.id)}`, ...span })} name="Logs">
          {count(trace.logs.length)}
        </Knot>
      ) : (
        <Missing>Logs{trace || (event && !event.trace) ? ', none with this trace’s id' : ''}</Missing>
      )}
      {others > 0 && trace && (
        <Knot to={href(`/traces/${trace.id}`)} name="Other errors of the request">
          {count(others)}
        </Knot>
      )}
      {(event?.snapshots?.length ?? 0) > 0 && (
        <>
          <i />
          <a class="knot" href="#snapshots">
            <span class="k" />
            Snapshots <b>{event?.snapshots?.length}</b>
          </a>
        </>
      )}
      {event?.replay ? (
        <>
          <i />
          {trace?.files.some((file) => file.replay === event.replay) ? (
            <a class="knot" href="#attachments" title="Its recording is kept as it was sent">
              <span class="k" />
              Replay <b>{event.replay.slice(0, 8)}</b>
            </a>
          ) : (
            <span class="knot" title="Its recording is not here, or names no trace">
              <span class="k" />
              Replay <b>{event.replay.slice(0, 8)}</b>
            </span>
          )}
        </>
      ) : (
        event && <Missing>Replay, none was recorded</Missing>
      )}
      {issue.suspect ? (
        <>
          <i />
          <span class="knot" title={issue.suspect.message}>
            <span class="k" />
            Commit <b class="mono">{issue.suspect.id.slice(0, 8)}</b>
          </span>
        </>
      ) : (
        <Missing>Commit, {issue.first_release ? 'none is known to touch it' : 'events name no release'}</Missing>
      )}
      {(event?.attachments?.length ?? 0) > 0 && (
        <>
          <i />
          <a class="knot" href="#attachments">
            <span class="k" />
            Files <b>{event?.attachments?.length}</b>
          </a>
        </>
      )}
    </nav>
  );
}

function Knot({ to, name, children }: { to: string; name: string; children: ComponentChildren }) {
  return (
    <>
      <i />
      <Link class="knot" follow href={to}>
        <span class="k" />
        {name} <b>{children}</b>
      </Link>
    </>
  );
}

function Missing({ children }: { children: ComponentChildren }) {
  return (
    <>
      <i class="no" />
      <span class="knot none">
        <span class="k" />
        {children}
      </span>
    </>
  );
}
