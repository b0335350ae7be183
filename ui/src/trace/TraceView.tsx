// The page of a trace that is there: head, joined strip, breakdown, waterfall or table, panel, and its keys.
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { type ApiError, serverNow } from '../api/client.ts';
import type { TraceAnswer } from '../api/types.ts';
import type { Size } from '../charts/canvas.ts';
import { duration, plural } from '../format/number.ts';
import { Foot } from '../parts/Foot.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { term } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { param, setParams } from '../state/route.ts';
import { Axis } from './Axis.tsx';
import { stillDue, useAgain } from './again.ts';
import { capturesOn, placeText, strayText } from './captured.ts';
import { criticalPath, type Segment } from './critical.ts';
import type { Columns } from './draw.ts';
import { EventPanel } from './EventPanel.tsx';
import { FindBox } from './FindBox.tsx';
import { Breakdown, Joined, minuteAround, TraceHead } from './Head.tsx';
import { Minimap } from './Minimap.tsx';
import {
  errorCount,
  isErrorMoment,
  isMoment,
  ownerOf,
  type SnapshotNode,
  type SpanNode,
  type TraceModel,
  type TraceNode,
} from './model.ts';
import { around } from './PanelParts.tsx';
import { layoutRows, matcher, type Row } from './rows.ts';
import { SnapshotPanel } from './SnapshotPanel.tsx';
import { LogPanel, MissingPanel, SpanPanel, usualQuery } from './SpanPanel.tsx';
import { TraceTable } from './TraceTable.tsx';
import { fit, focusOn, isFit, pan, type Viewport, zoom } from './viewport.ts';
import { Waterfall } from './Waterfall.tsx';

interface Props {
  model: TraceModel;
  answer: TraceAnswer;
  correct: boolean;
  setCorrect: (correct: boolean) => void;
  problem: ApiError | undefined;
}

const NARROW = 620;

function columnsFor(size: Size, deepest: number): Columns {
  const narrow = size.width < NARROW;
  const gutter = narrow ? 12 : 16;
  const name = narrow ? Math.round(size.width * 0.46) : Math.max(240, Math.min(360, Math.round(size.width * 0.335)));
  // Deep traces: half of the column is for the steps, the other half for names.
  const indent = Math.max(3, Math.min(narrow ? 9 : 14, Math.floor((name * 0.5) / Math.max(1, deepest))));
  return { name, duration: narrow ? 62 : 74, gutter, indent };
}

/** What stays the same when the trace is loaded again. */
function keyOf(node: Row['node'] | undefined): string {
  if (!node) return '';
  if (node.type === 'span') return `${node.row.span} ${node.service} ${node.row.kind ?? ''}`;
  if (node.type === 'repeat') return `repeat ${keyOf(node.spans[0])}`;
  if (node.type === 'missing') return `missing ${node.id}`;
  if (node.type === 'event') return `event ${node.row.event_id}`;
  if (node.type === 'snapshot') return `snapshot ${node.row.id}`;
  return `log ${node.row.time} ${node.text.slice(0, 80)}`;
}

export function TraceView({ model, answer, correct, setCorrect, problem }: Props) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [find, setFind] = useState('');
  const [service, setService] = useState<string | undefined>();
  const [critical, setCritical] = useState(false);
  const [table, setTable] = useState(false);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  const [frame, setFrame] = useState<Viewport | undefined>();
  const [chosen, setChosen] = useState(() => chosenFromUrl(model));

  const total = Math.max(model.duration, 1000);
  const view = frame ?? fit(total);
  const setView = (next: Viewport) => setFrame(isFit(next, total) ? undefined : next);

  const matches = useMemo(() => bothOf(matcher(find), service), [find, service]);
  const rows = useMemo(
    () =>
      layoutRows(model, {
        folded: new Set<TraceNode>([...model.spans, ...model.missing].filter((node) => folded.has(keyOf(node)))),
        opened: new Set(model.spans.filter((span) => opened.has(keyOf(span)))),
        matches,
      }),
    [model, folded, opened, matches],
  );
  const found = useMemo(() => (matches ? rows.flatMap((row, index) => (row.matches ? [index] : [])) : []), [rows, matches]);
  const selected = useMemo(() => rows.findIndex((row) => keyOf(row.node) === chosen), [rows, chosen]);
  const node = rows[selected]?.node;
  // A span that was asked for by its link may be hidden in a repeat.
  useEffect(() => {
    if (!chosen || selected >= 0) return;
    const host = rows.find((row) => row.node.type === 'repeat' && row.node.spans.some((span) => keyOf(span) === chosen))?.node;
    if (host?.type === 'repeat') setOpened((old) => new Set([...old, keyOf(host.spans[0])]));
  }, [rows, chosen, selected]);
  const young = stillDue(model.begin.ms, serverNow());
  useAgain(young && model.spans.length === 0);
  const path = useMemo(() => (critical && model.main ? segmentsBySpan(criticalPath(model.main)) : undefined), [critical, model]);
  const deepest = useMemo(() => rows.reduce((most, row) => Math.max(most, row.depth), 0), [rows]);
  const columns = columnsFor(size, deepest);
  const rowHeight = typeof matchMedia !== 'undefined' && matchMedia('(pointer: coarse)').matches ? 32 : 24;

  const choose = useCallback((next: Row['node'] | undefined) => {
    setChosen(keyOf(next));
    const span = next?.type === 'span' ? next : next?.type === 'repeat' ? next.spans[0] : undefined;
    setParams(
      {
        span: span?.row.span,
        event: next?.type === 'event' ? next.row.event_id : undefined,
        snapshot: next?.type === 'snapshot' ? next.row.id : undefined,
      },
      { replace: true },
    );
  }, []);
  const select = (index: number) => choose(rows[index]?.node);
  const toggle = (index: number, open?: boolean) => {
    const row = rows[index];
    if (!row || row.open === undefined || row.open === open) return;
    const of = row.node.type === 'repeat' ? row.node.spans[0] : row.node;
    const flip = (old: ReadonlySet<string>) => {
      const next = new Set(old);
      const key = keyOf(of);
      if (!next.delete(key)) next.add(key);
      return next;
    };
    if (row.node.type === 'repeat') setOpened(flip);
    else setFolded(flip);
  };
  const step = (by: number) => select(Math.max(0, Math.min(rows.length - 1, selected < 0 ? 0 : selected + by)));
  const parentOf = (index: number) => {
    for (let i = index - 1; i >= 0; i--) if ((rows[i]?.depth ?? 0) < (rows[index]?.depth ?? 0)) return i;
    return index;
  };
  const next = (fits: (row: Row | undefined) => boolean, by: 1 | -1) => {
    for (let n = 1; n <= rows.length; n++) {
      const index = (selected + by * n + rows.length * 2) % rows.length;
      if (fits(rows[index])) return select(index);
    }
  };
  const nextError = (by: 1 | -1) => next(hasError, by);
  const nextSnapshot = () => next((row) => hasSnapshot(row, model.snapshots), 1);
  const asked = node?.type === 'repeat' ? node.spans[0] : node;
  const all = minuteAround(model);
  useAsks([
    { what: 'Its spans', query: `spans ${term('trace', model.id)}`, range: all },
    { what: 'Its logs', query: `logs ${term('trace', model.id)}`, range: all },
    ...(model.snapshots.length > 0 ? [{ what: 'Its snapshots', query: `snapshots ${term('trace', model.id)}`, range: all }] : []),
    { what: 'Its errors', query: `events ${term('trace', model.id)}`, range: all },
    ...(asked?.type === 'span' ? [{ what: 'How long the chosen span usually takes', query: usualQuery(asked), range: around(model) }] : []),
  ]);
  const anchor = () => (node && node.start >= view.from && node.start <= view.to ? node.start : (view.from + view.to) / 2);
  const zoomTo = (index: number) => {
    const target = rows[index]?.node;
    if (target && 'duration' in target) setView(focusOn(target.start, target.start + target.duration, total));
  };
  useKeys('Waterfall', [
    { keys: ['ArrowDown', 'j'], does: 'next row', run: () => step(1) },
    { keys: ['ArrowUp', 'k'], does: 'previous row', run: () => step(-1) },
    {
      keys: ['ArrowLeft'],
      does: 'fold, or to the parent',
      run: () => (rows[selected]?.open ? toggle(selected, false) : select(parentOf(selected))),
    },
    {
      keys: ['ArrowRight'],
      does: 'unfold, or to the first child',
      run: () => (rows[selected]?.open === false ? toggle(selected, true) : step(rows[selected]?.open ? 1 : 0)),
    },
    { keys: ['Enter'], does: 'zoom to the row', run: () => zoomTo(selected) },
    { keys: ['e'], does: 'next error', run: () => nextError(1) },
    { keys: ['E'], does: 'previous error', run: () => nextError(-1) },
    ...(model.snapshots.length > 0 ? [{ keys: ['n'], does: 'next snapshot', run: nextSnapshot }] : []),
    { keys: ['c'], does: 'critical path', run: () => setCritical(!critical) },
    { keys: ['w'], does: 'zoom in', run: () => setView(zoom(view, 0.6, anchor(), total)) },
    { keys: ['s'], does: 'zoom out', run: () => setView(zoom(view, 1 / 0.6, anchor(), total)) },
    { keys: ['Shift+ArrowLeft'], does: 'earlier', run: () => setView(pan(view, -(view.to - view.from) / 5, total)) },
    { keys: ['Shift+ArrowRight'], does: 'later', run: () => setView(pan(view, (view.to - view.from) / 5, total)) },
    { keys: ['z'], does: 'fit all', run: () => setFrame(undefined) },
    { keys: ['t'], does: 'as a table, or back', run: () => setTable(!table) },
    { keys: ['Escape'], does: 'close the panel', run: () => (service ? setService(undefined) : choose(undefined)) },
  ]);
  const label = `${model.main?.name ?? 'Trace'}: ${plural(model.spans.length, 'span')} in ${duration(model.duration)}, ${plural(errorCount(model), 'error')}. Arrow keys move, t shows it as a table.`;
  return (
    <>
      <TraceHead
        model={model}
        answer={answer}
        correct={correct}
        setCorrect={setCorrect}
        critical={critical}
        setCritical={setCritical}
        table={table}
        setTable={setTable}
        openMissing={() => choose(model.missing[0])}
      />
      <Joined model={model} nextError={() => nextError(1)} nextSnapshot={nextSnapshot} />
      {model.spans.length === 0 && (
        <p class="note sm" role="status">
          <b>No span of it is stored{young ? ' yet' : ''}.</b>{' '}
          {young
            ? 'SDKs send spans every few seconds: this page looks again by itself.'
            : 'The service that began it may not have sampled it, or sends no spans.'}
        </p>
      )}
      {problem && (
        <p class="note sm" role="status">
          <b>{problem.message}</b> What you see is from before.
        </p>
      )}
      <div class={`cols ${node ? 'with-panel' : ''}`}>
        <section class="left" style={{ '--nw': `${columns.name}px`, '--dw': `${columns.duration}px` }} aria-label="Waterfall">
          <Breakdown model={model} chosen={service} choose={setService}>
            <Minimap model={model} view={view} setView={setView} />
          </Breakdown>
          <div class={`wr head ${table ? 'of-table' : ''}`}>
            <div class="nm">
              <FindBox
                value={find}
                change={setFind}
                found={matches ? found.length : undefined}
                next={(by) => goTo(found, selected, by, select)}
              />
            </div>
            {!table && <div class="dr">Duration</div>}
            {!table && <Axis columns={columns} size={size} view={view} setView={setView} total={total} />}
          </div>
          {table ? (
            <TraceTable rows={rows} selected={selected} select={select} label={label} />
          ) : (
            <Waterfall
              rows={rows}
              total={total}
              view={view}
              setView={setView}
              columns={columns}
              rowHeight={rowHeight}
              selected={selected}
              critical={path}
              snapshots={model.snapshots}
              select={select}
              toggle={toggle}
              zoomTo={zoomTo}
              onSize={setSize}
              label={label}
            />
          )}
        </section>
        {node && (
          <aside class="panel vl" aria-label="The chosen row">
            {node.type === 'event' ? (
              <EventPanel key={chosen} event={node} model={model} close={() => choose(undefined)} open={(span) => choose(span)} />
            ) : node.type === 'snapshot' ? (
              <SnapshotPanel key={chosen} snapshot={node} model={model} close={() => choose(undefined)} open={(span) => choose(span)} />
            ) : node.type === 'log' ? (
              <LogPanel key={chosen} log={node} model={model} close={() => choose(undefined)} open={(span) => choose(span)} />
            ) : node.type === 'missing' ? (
              <MissingPanel key={chosen} node={node} model={model} close={() => choose(undefined)} />
            ) : (
              <SpanPanel
                key={chosen}
                span={node.type === 'repeat' ? (node.spans[0] as SpanNode) : node}
                model={model}
                close={() => choose(undefined)}
                select={(moment) => choose(moment)}
              />
            )}
          </aside>
        )}
      </div>
      <div class="only-read" role="status">
        {node ? describe(rows[selected], selected, rows.length) : ''}
      </div>
      <Foot
        keys={[
          ['ArrowUp ArrowDown', 'row'],
          ['ArrowLeft ArrowRight', 'fold'],
          ['e', 'next error'],
          ['c', 'critical path'],
          ['w s', 'zoom'],
          ['z', 'fit'],
          ['t', table ? 'as a waterfall' : 'as a table'],
        ]}
      >
        {path && <CriticalSummary path={path} />}
        <CopyButton text={`clew trace ${model.id}${critical ? ' --critical' : ''}`} label="Copy as a command" />
      </Foot>
    </>
  );
}

function chosenFromUrl(model: TraceModel): string {
  const event = param('event');
  if (event) return keyOf(model.events.find((node) => node.row.event_id === event));
  const snapshot = param('snapshot');
  // It may come only after the page.
  if (snapshot) return `snapshot ${snapshot}`;
  const wanted = param('span');
  return wanted ? keyOf(model.spans.find((span) => span.row.span === wanted)) : '';
}

function bothOf(words: ((node: TraceNode) => boolean) | undefined, service: string | undefined) {
  if (!service) return words;
  return (node: TraceNode) => {
    const own = node.type === 'span' ? ownerOf(node) : isMoment(node) ? node.service : '';
    return own === service && (!words || words(node));
  };
}

function hasError(row: Row | undefined): boolean {
  if (!row) return false;
  const { node } = row;
  if (node.type === 'log' || node.type === 'event' || node.type === 'snapshot') return isErrorMoment(node);
  if (node.type === 'span') return node.error || (row.open === false && node.errorsBelow > 0);
  return node.type === 'missing' && row.open === false && node.errorsBelow > 0;
}

/** Its own row, or that of what it is folded into. */
function hasSnapshot(row: Row | undefined, snapshots: readonly SnapshotNode[]): boolean {
  if (!row) return false;
  const { node, open } = row;
  if (node.type !== 'span' && node.type !== 'missing') return node.type === 'snapshot';
  return open === false && capturesOn(node, true, snapshots).length > 0;
}

function segmentsBySpan(segments: Segment[]): Map<SpanNode, Segment[]> {
  const bySpan = new Map<SpanNode, Segment[]>();
  for (const segment of segments) bySpan.set(segment.span, [...(bySpan.get(segment.span) ?? []), segment]);
  return bySpan;
}

function goTo(found: number[], selected: number, by: 1 | -1, select: (index: number) => void): void {
  const ahead = by > 0 ? found.find((index) => index > selected) : found.findLast((index) => index < selected);
  const target = ahead ?? (by > 0 ? found[0] : found.at(-1));
  if (target !== undefined) select(target);
}

function describe(row: Row | undefined, index: number, of: number): string {
  if (!row) return '';
  const { node } = row;
  const where = `Row ${index + 1} of ${of}`;
  if (node.type === 'log') return `${where}: ${node.level} line of ${node.service}: ${node.text.slice(0, 200)}`;
  if (node.type === 'event')
    return `${where}: ${node.error ? 'exception' : 'message'} of ${node.service}${node.row.handled === false ? ', not handled' : ''}: ${node.title.slice(0, 200)}`;
  if (node.type === 'snapshot')
    return `${where}: snapshot of ${node.service} at ${placeText(node.row)}${node.row.function ? ` in ${node.row.function}` : ''}${strayText(node) ? `, ${strayText(node)}` : ''}`;
  if (node.type === 'missing') return `${where}: a span that never arrived`;
  const span = node.type === 'repeat' ? (node.spans[0] as SpanNode) : node;
  const times = node.type === 'repeat' ? `, ${node.spans.length} times` : '';
  return `${where}: ${span.name}${times}, ${span.service}, ${duration(node.duration)}${span.error ? ', error' : ''}`;
}

function CriticalSummary({ path }: { path: Map<SpanNode, Segment[]> }) {
  const by = new Map<string, number>();
  for (const [span, segments] of path) {
    const time = segments.reduce((sum, segment) => sum + segment.to - segment.from, 0);
    by.set(ownerOf(span), (by.get(ownerOf(span)) ?? 0) + time);
  }
  const list = [...by].sort((a, b) => b[1] - a[1]).slice(0, 6);
  return <span class="cost">Critical path: {list.map(([name, ns]) => `${name} ${duration(ns)}`).join(', ')}</span>;
}
