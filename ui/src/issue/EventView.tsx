// One event: which one it is, what was raised and where, its trace and logs, and everything that its SDK sent with it.
import { ChevronLeft, ChevronRight } from 'lucide';
import { type ApiError, serverNow } from '../api/client.ts';
import { type IssueEvent, probedOf } from '../api/event.ts';
import { count, duration, plural } from '../format/number.ts';
import { absolute, ago, clock, parseInstant } from '../format/time.ts';
import { safeText } from '../logs/text.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { href, param, setParams, withParams } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import { minuteAround } from '../trace/Head.tsx';
import { MiniTrace } from '../trace/Mini.tsx';
import { miniRows, spanWith } from '../trace/mini.ts';
import { isErrorLevel, type LogNode, type TraceModel } from '../trace/model.ts';
import { ByProbe } from './ByProbe.tsx';
import { crumbText, crumbTime, lastCrumbs } from './crumbs.ts';
import { Details } from './Details.tsx';
import { Facts } from './Facts.tsx';
import { CapturingOf, Snapshots, useCaptures } from './Snapshots.tsx';
import { Stacks } from './Stack.tsx';

interface Props {
  event: IssueEvent;
  which: string;
  trace: TraceModel | undefined;
  traceError: ApiError | undefined;
  /** Asks for the event again. */
  reload: () => void;
}

export type Mode = 'app' | 'full' | 'raw';

export function EventView({ event, which, trace, traceError, reload }: Props) {
  const frames = param('frames');
  const mode: Mode = frames === 'full' || frames === 'raw' ? frames : 'app';
  const capturing = useCaptures(event, reload);
  const probed = probedOf(event);
  return (
    <CapturingOf value={capturing}>
      <EventBar event={event} which={which} mode={mode} />
      <Facts event={event} />
      {probed && <ByProbe event={event} probed={probed} />}
      <Stacks event={event} mode={mode} />
      <Snapshots event={event} trace={event.trace} />
      <div class="half hl">
        <TraceHalf event={event} trace={trace} error={traceError} />
        <Led event={event} trace={trace} />
      </div>
      <Logs event={event} trace={trace} />
      <Details event={event} trace={trace} />
    </CapturingOf>
  );
}

const CHOICES: [string, string, string][] = [
  ['latest', 'Latest', 'the newest event'],
  ['recommended', 'Most told', 'the event with the most to tell: source, values, a trace'],
  ['oldest', 'First', 'the first event that is stored'],
];
const MODES: [Mode, string][] = [
  ['app', 'In-app first'],
  ['full', 'Full'],
  ['raw', 'Raw'],
];

function EventBar({ event, which, mode }: { event: IssueEvent; which: string; mode: Mode }) {
  const at = parseInstant(event.time).ms;
  const to = (id: string | undefined) => setParams({ event: id === 'latest' ? undefined : id, view: undefined }, { replace: true });
  return (
    <div class="sec ev">
      <h2>Event</h2>
      <span class="grow cut" title={absolute(at)}>
        {event.of ? (
          <Link class="plain" href={withParams({ view: 'events', event: undefined })} title="All its events (v)">
            {count(event.index ?? 0)} of {count(event.of)}
          </Link>
        ) : (
          <span class="mono">{event.event_id.slice(0, 8)}</span>
        )}
        , {ago(at, serverNow())}, {clock(at)}
      </span>
      <span class="seg s" role="group" aria-label="Which event">
        {CHOICES.map(([id, label, title]) => (
          <button type="button" key={id} title={title} aria-pressed={which === id} onClick={() => to(id)}>
            {label}
          </button>
        ))}
      </span>
      <span class="seg s" role="group" aria-label="Neighbours">
        <button
          type="button"
          aria-label="Older event"
          title="Older event (k)"
          disabled={!event.previous}
          onClick={() => to(event.previous)}
        >
          <Icon icon={ChevronLeft} size={14} />
        </button>
        <button type="button" aria-label="Newer event" title="Newer event (j)" disabled={!event.next} onClick={() => to(event.next)}>
          <Icon icon={ChevronRight} size={14} />
        </button>
      </span>
      <span class="seg s opt" role="group" aria-label="Frames">
        {MODES.map(([id, label]) => (
          <button
            type="button"
            key={id}
            aria-pressed={mode === id}
            onClick={() => setParams({ frames: id === 'app' ? undefined : id }, { replace: true })}
          >
            {label}
          </button>
        ))}
      </span>
    </div>
  );
}

const ROWS = 7;

function TraceHalf({ event, trace, error }: { event: IssueEvent; trace: TraceModel | undefined; error: ApiError | undefined }) {
  const mini = trace && miniRows(trace, spanWith(trace, event.span, event.service), ROWS);
  const whole = event.trace && href(`/traces/${event.trace}`, { span: event.span, event: event.event_id });
  return (
    <section aria-label="Its trace">
      <div class="sec">
        <h2>Trace</h2>
        <span class="grow cut">
          {trace &&
            trace.spans.length > 0 &&
            `${duration(trace.duration)}, ${plural(trace.spans.length, 'span')}, ${plural(trace.serviceCount, 'service')}`}
        </span>
        {whole && (
          <Link href={whole} follow>
            Open
          </Link>
        )}
      </div>
      {!event.trace && probedOf(event) ? (
        <p class="hint">
          <span class="why">it was raised outside of a trace</span>
        </p>
      ) : !event.trace ? (
        <p class="hint">
          <span class="why">the SDK was not in a trace</span>{' '}
          <span class="sm d2">
            With <code>{event.platform === 'python' ? 'traces_sample_rate=1.0' : 'tracesSampleRate: 1.0'}</code> it sends one with each
            error.
          </span>
        </p>
      ) : error ? (
        <p class="hint sm">
          <span class="err">{error.message}</span> {error.hint}
        </p>
      ) : mini && trace && trace.spans.length > 0 ? (
        <>
          <MiniTrace model={trace} rows={mini.rows} />
          {mini.left > 0 && whole && (
            <p class="hint sm">
              <Link href={whole} follow>
                {plural(mini.left, 'more span')} in the waterfall
              </Link>
            </p>
          )}
        </>
      ) : trace ? (
        <p class="hint">
          <span class="why">no span of it is stored: it was not sampled, or is older than the retention</span>
        </p>
      ) : (
        <div class="minis" />
      )}
    </section>
  );
}

const CRUMBS = 12;

function Led({ event, trace }: { event: IssueEvent; trace: TraceModel | undefined }) {
  const all = event.breadcrumbs?.length ?? 0;
  const whole = param('crumbs') === 'all';
  const crumbs = lastCrumbs(event, whole ? all : CRUMBS);
  return (
    <section class="vl" aria-label="What led to it">
      <div class="sec">
        <h2>What led to it</h2>
        <span class="grow cut">
          {all > 0 && (all > CRUMBS && !whole ? `the last ${CRUMBS} of ${plural(all, 'breadcrumb')}` : plural(all, 'breadcrumb'))}
        </span>
        {all > CRUMBS && (
          <button type="button" class="link" onClick={() => setParams({ crumbs: whole ? undefined : 'all' }, { replace: true })}>
            {whole ? 'Fewer' : 'All'}
          </button>
        )}
        {trace && trace.logs.length > 0 && (
          <Link href={logsOf(trace)} follow>
            {plural(trace.logs.length, 'log')}
          </Link>
        )}
      </div>
      {crumbs.length === 0 ? (
        <p class="hint">
          <span class="why">
            {probedOf(event) ? 'a probe sees one moment: what led to it is in the logs' : 'the SDK noted nothing before it'}
          </span>
        </p>
      ) : (
        <table class="bc">
          <tbody>
            {crumbs.map((crumb, index) => (
              <tr key={index}>
                <td class="mono d3" title={crumb.time && absolute(parseInstant(crumb.time).ms)}>
                  {crumbTime(crumb, event)}
                </td>
                <td class={`cut ${crumb.tone}`} title={crumbText(crumb)}>
                  {safeText(crumbText(crumb).slice(0, 400))}
                </td>
                <td class="d3 r cut" title={crumb.category}>
                  {crumb.category ?? crumb.type}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function logsOf(trace: TraceModel): string {
  const { from, to } = minuteAround(trace);
  return href('/logs', { q: `logs ${term('trace', trace.id)}`, from: String(from), to: String(to) });
}

const LINES = 10;

/** Warnings and errors, and what stands next to the error, in the order of time. */
export function linesOf(logs: readonly LogNode[], at: number, most: number): LogNode[] {
  const weight = (log: LogNode) => (isErrorLevel(log.level) ? 0 : log.level === 'warn' ? 1 : 2);
  return [...logs]
    .sort((a, b) => weight(a) - weight(b) || Math.abs(a.start - at) - Math.abs(b.start - at))
    .slice(0, most)
    .sort((a, b) => a.start - b.start);
}

function Logs({ event, trace }: { event: IssueEvent; trace: TraceModel | undefined }) {
  if (!trace || trace.logs.length === 0) return null;
  const here = trace.events.find((node) => node.row.event_id === event.event_id)?.start ?? 0;
  const lines = linesOf(trace.logs, here, LINES);
  const bad = trace.logs.filter((log) => isErrorLevel(log.level) || log.level === 'warn').length;
  return (
    <section class="hl lgs" aria-label="Logs of this request">
      <div class="sec">
        <h2>Logs of this request</h2>
        <span class="grow cut">
          {count(trace.logs.length)}
          {bad > 0 && `, ${count(bad)} at warn or above`}
        </span>
        <Link href={href(`/traces/${trace.id}`)} follow>
          In the waterfall
        </Link>
        <Link href={logsOf(trace)} follow>
          All {count(trace.logs.length)}
        </Link>
      </div>
      {lines.map((log, index) => {
        const { ms } = parseInstant(log.row.time);
        const to = log.row.id
          ? href('/logs', { q: 'logs', around: log.row.id, from: String(ms - 60_000), to: String(ms + 60_000) })
          : logsOf(trace);
        return (
          <Link class={`lr ${log.level}`} href={to} follow key={index} title={`${absolute(ms)}, lines around it`}>
            <span class="d3">{clock(ms).slice(6)}</span>
            <span class="lvl">{log.level || 'log'}</span>
            <span class={`svc h${hueOf(log.service)}`}>
              <span class="cut">{log.service}</span>
            </span>
            <span class="cut">{safeText(log.text.slice(0, 600)).replace(/\s+/g, ' ')}</span>
          </Link>
        );
      })}
    </section>
  );
}
