// Everything about the chosen row, beside the waterfall.
import { Logs as LogsIcon, Search } from 'lucide';
import { useState } from 'preact/hooks';
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { SpanEvent, SpanLink, SpanRow, Value } from '../api/types.ts';
import { duration, plural } from '../format/number.ts';
import { absolute, clock, nsBetween, parseInstant } from '../format/time.ts';
import { Attributes, valueText } from '../parts/Attributes.tsx';
import { ErrorDisc, Icon } from '../parts/Icon.tsx';
import { Link, trailFromHere } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { term, writeValue } from '../query/write.ts';
import { CaptureHere } from '../snapshots/CaptureHere.tsx';
import { ownCode } from '../snapshots/code.ts';
import { FromProbe } from '../snapshots/FromProbe.tsx';
import { go, href } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import { EventFacts } from './EventPanel.tsx';
import type { EventNode, LogNode, MissingNode, MomentNode, SnapshotNode, SpanNode, TraceModel } from './model.ts';
import { ownerOf } from './model.ts';
import { around, type Common, Fact, Header, Process, rangeParams } from './PanelParts.tsx';
import { statement } from './rows.ts';
import { FirstCapture, SpanCaptures } from './SnapshotPanel.tsx';

export function SpanPanel({ span, model, close, select }: Common & { span: SpanNode; select: (node: MomentNode) => void }) {
  const { row } = span;
  const logs = span.children.filter((child): child is LogNode => child.type === 'log');
  const errors = span.children.filter((child): child is EventNode => child.type === 'event');
  const snapshots = span.children.filter((child): child is SnapshotNode => child.type === 'snapshot');
  const written = logs.filter((log) => log.row.probe);
  const events = row.events ?? [];
  const links = row.links ?? [];
  const tabs = [
    { id: 'span', label: 'Span' },
    ...(errors.length > 0 ? [{ id: 'errors', label: 'Errors', count: errors.length }] : []),
    ...(snapshots.length + written.length > 0 ? [{ id: 'captured', label: 'Captured', count: snapshots.length + written.length }] : []),
    { id: 'events', label: 'Events', count: events.length + links.length },
    { id: 'logs', label: 'Logs', count: logs.length },
    { id: 'process', label: 'Process' },
  ];
  const [tab, setTab] = useState('span');
  const shown = tabs.some((t) => t.id === tab && t.count !== 0) ? tab : 'span';
  const usual = useUsual(span, model);
  return (
    <>
      <div class="ph">
        <Header close={close}>
          <span class="grow cut" title={`${span.service} ${span.name}`}>
            <span class={`svc h${hueOf(span.service)} m`}>{span.service}</span>&ensp;<b>{span.name}</b>
          </span>
          {span.error && <ErrorDisc />}
        </Header>
        <dl class="st4">
          <Fact name="Starts at" title={absolute(parseInstant(row.time).ms)}>
            {duration(span.start)}
          </Fact>
          <Fact name="Duration">{duration(span.duration)}</Fact>
          <Fact name="Self" title="Its own time, without what its children cover">
            {duration(span.self)}
          </Fact>
          <Fact name="Usually" title="Median of the same operation in the hour around this trace">
            {usual === undefined ? <span class="skel sk1" /> : usual === null ? <span class="why">unknown</span> : `p50 ${duration(usual)}`}
          </Fact>
        </dl>
        <div class="row pacts">
          <CaptureHere place={ownCode(span.service, row.attr)} />
          <Link
            class="btn s"
            follow
            href={href('/traces', { q: `spans ${term('service', span.service)} ${term('name', span.name)}`, ...rangeParams(model) })}
          >
            <Icon icon={Search} size={14} />
            Spans like this
          </Link>
          <Link
            class="btn s"
            follow
            href={href('/logs', { q: `logs ${term('trace', row.trace)} ${term('span', row.span)}`, ...rangeParams(model) })}
          >
            <Icon icon={LogsIcon} size={14} />
            Logs of this span <span class="cnt">{logs.length}</span>
          </Link>
        </div>
      </div>
      <div class="bar tb">
        <div class="tabs" role="tablist" aria-label="About this span">
          {tabs.map((t) => (
            <button
              type="button"
              role="tab"
              key={t.id}
              aria-selected={shown === t.id}
              disabled={t.count === 0}
              onClick={() => setTab(t.id)}
            >
              {t.label}
              {t.count !== undefined && <span class="c">{t.count}</span>}
            </button>
          ))}
        </div>
      </div>
      <div class="scroll grow pbody" role="tabpanel" tabIndex={0} aria-label={shown}>
        {shown === 'span' && <SpanFacts span={span} model={model} snapshots={snapshots} captured={() => setTab('captured')} />}
        {shown === 'captured' && <SpanCaptures snapshots={snapshots} lines={written} select={select} />}
        {shown === 'errors' && <EventFacts events={errors} select={select} />}
        {shown === 'events' && <Events row={row} links={links} />}
        {shown === 'logs' && <SpanLogs logs={logs} select={select} />}
        {shown === 'process' && <Process row={row} />}
      </div>
    </>
  );
}

export const usualQuery = (span: SpanNode) =>
  `spans ${term('service', span.service)} name=${writeValue(span.name)} | stats p50(duration) as p50`;

/** undefined: on its way; null: not to be had. */
function useUsual(span: SpanNode, model: TraceModel): number | null | undefined {
  const query = usualQuery(span);
  const loaded = useLoad(query, query, async (abort) => {
    const answer = await runQuery<{ p50?: number }>(query, around(model), 1, abort);
    return answer.rows[0]?.p50 ?? null;
  });
  return loaded.error.value ? null : loaded.data.value;
}

interface FactsProps {
  span: SpanNode;
  model: TraceModel;
  snapshots: readonly SnapshotNode[];
  captured: () => void;
}

function SpanFacts({ span, model, snapshots, captured }: FactsProps) {
  const { row } = span;
  const exceptions = (row.events ?? []).filter((event) => event.name === 'exception');
  const sql = statement(span);
  const attr = row.attr ?? {};
  const filter = (name: string, value: Value) => [
    {
      label: 'traces with it',
      run: () => go(href('/traces', { q: `spans ${term(`attr.${name}`, value)}`, ...rangeParams(model) }), { trail: trailFromHere() }),
    },
  ];
  return (
    <>
      {exceptions.map((event) => (
        <Exception key={event.time} event={event} />
      ))}
      {row.message && exceptions.length === 0 && (
        <div class="exc">
          <b class="err">Error</b>
          <p class="code wrap">{row.message}</p>
        </div>
      )}
      {snapshots[0] && <FirstCapture one={snapshots[0]} more={snapshots.length - 1} open={captured} />}
      {sql && (
        <>
          <div class="sec">
            <h2>Statement</h2>
            <span class="grow">{ownerOf(span)}</span>
            <CopyButton text={sql} label="Copy" />
          </div>
          <pre class="code wrap stmt">{sql}</pre>
        </>
      )}
      <div class="sec hl">
        <h2>Attributes</h2>
        <span class="grow">{Object.keys(attr).length}</span>
        <CopyButton text={JSON.stringify(row, null, 2)} label="Copy JSON" />
      </div>
      {Object.keys(attr).length > 0 ? <Attributes bag={attr} actions={filter} /> : <p class="nothing why">This span has none.</p>}
      <div class="sec hl">
        <h2>Identity</h2>
      </div>
      <Attributes
        bag={{
          span: row.span,
          ...(row.parent && { parent: row.parent }),
          trace: row.trace,
          kind: row.kind ?? 'internal',
          status: row.status ?? 'unset',
          start: row.time,
          ...(span.shift !== 0 && { 'clock corrected by': duration(span.shift) }),
        }}
      />
    </>
  );
}

function textOf(event: SpanEvent, name: string): string | undefined {
  const value = event.attr?.[name];
  return value === undefined ? undefined : valueText(value);
}

function Exception({ event }: { event: SpanEvent }) {
  const stack = textOf(event, 'exception.stacktrace');
  return (
    <div class="exc">
      <b class="err">{textOf(event, 'exception.type') ?? 'Exception'}</b>
      <p class="code wrap">{textOf(event, 'exception.message') ?? ''}</p>
      {stack && (
        <details>
          <summary class="link sm">Stack trace</summary>
          <pre class="code scroll">{stack}</pre>
        </details>
      )}
    </div>
  );
}

function Events({ row, links }: { row: SpanRow; links: SpanLink[] }) {
  const begin = parseInstant(row.time);
  return (
    <>
      {(row.events ?? []).map((event, index) => (
        <section class="event" key={index}>
          <div class="sec">
            <h2 class="cut">{event.name}</h2>
            <span class="grow">{duration(nsBetween(begin, parseInstant(event.time)))} after its start</span>
          </div>
          {event.attr && <Attributes bag={event.attr} />}
        </section>
      ))}
      {links.map((link) => (
        <section class="event" key={`${link.trace} ${link.span}`}>
          <div class="sec">
            <h2>Link</h2>
            <span class="grow cut">
              <Link follow class="mono" href={href(`/traces/${link.trace}`, { span: link.span })}>
                {link.trace.slice(0, 8)}
              </Link>
            </span>
          </div>
          {link.attr && <Attributes bag={link.attr} />}
        </section>
      ))}
    </>
  );
}

function SpanLogs({ logs, select }: { logs: LogNode[]; select: (node: LogNode) => void }) {
  return (
    <>
      {logs.map((log, index) => (
        <button type="button" class="logline" key={index} onClick={() => select(log)}>
          <span class="mono d3">{clock(parseInstant(log.row.time).ms)}</span>
          <span class={`lv ${log.level}`}>{log.level || 'log'}</span>
          <span class="mono wrap">{log.text}</span>
        </button>
      ))}
    </>
  );
}

export function LogPanel({ log, model, close, open }: Common & { log: LogNode; open: (span: SpanNode) => void }) {
  const { row, parent } = log;
  const stack = row.attr?.['exception.stacktrace'];
  return (
    <>
      <div class="ph">
        <Header close={close}>
          <span class="grow cut">
            <span class={`svc h${hueOf(log.service)} m`}>{log.service}</span>&ensp;<b class={`lv ${log.level}`}>{log.level || 'log'}</b>
          </span>
        </Header>
        <dl class="st4">
          <Fact name="Written at" title={absolute(parseInstant(row.time).ms)}>
            {duration(log.start)}
          </Fact>
          <Fact name="Clock">{clock(parseInstant(row.time).ms)}</Fact>
          <Fact name="In">
            {parent?.type === 'span' ? (
              <button type="button" class="link cut inspan" onClick={() => open(parent)}>
                {parent.name}
              </button>
            ) : (
              <span class="why">a span that never arrived</span>
            )}
          </Fact>
        </dl>
        <div class="row pacts">
          {row.probe ? <FromProbe row={row} /> : <CaptureHere place={ownCode(log.service, row.attr)} />}
          <Link class="btn s" follow href={href('/logs', { q: `logs ${term('service', log.service)}`, ...rangeParams(model) })}>
            <Icon icon={LogsIcon} size={14} />
            Logs of {log.service}
          </Link>
        </div>
      </div>
      <div class="scroll grow pbody hl" tabIndex={0} role="region" aria-label="Log line">
        <div class="sec">
          <h2>Message</h2>
          <span class="grow" />
          <CopyButton text={log.text} label="Copy" />
        </div>
        <pre class="code wrap stmt">{log.text}</pre>
        {typeof stack === 'string' && (
          <div class="exc hl">
            <b class="err">{valueText(row.attr?.['exception.type'] ?? 'Exception')}</b>
            <p class="code wrap">{valueText(row.attr?.['exception.message'] ?? '')}</p>
            <details>
              <summary class="link sm">Stack trace</summary>
              <pre class="code scroll">{stack}</pre>
            </details>
          </div>
        )}
        <div class="sec hl">
          <h2>Attributes</h2>
          <span class="grow">{Object.keys(row.attr ?? {}).length}</span>
          <CopyButton text={JSON.stringify(row, null, 2)} label="Copy JSON" />
        </div>
        <Attributes bag={row.attr ?? {}} />
        <Process row={row} />
      </div>
    </>
  );
}

export function MissingPanel({ node, close }: Common & { node: MissingNode }) {
  return (
    <>
      <div class="ph">
        <Header close={close}>
          <b class="grow cut">A span that never arrived</b>
        </Header>
      </div>
      <div class="scroll grow pbody">
        <div class="explain">
          <p>
            {plural(node.children.filter((child) => child.type === 'span').length, 'span names', 'spans name')} <code>{node.id}</code> as
            their parent. That span itself is not stored, so its name, its service and where it hangs are unknown; its children are shown
            where they ran.
          </p>
          <p>What usually explains it:</p>
          <ul>
            <li>It is still running, or its process has not exported it yet. It will appear by itself.</li>
            <li>Its process ended before the exporter was flushed.</li>
            <li>Its service sends to another place, or samples on its own and left it out.</li>
            <li>A proxy or a gateway made the id and passed it on, but sends no spans.</li>
          </ul>
        </div>
      </div>
    </>
  );
}
