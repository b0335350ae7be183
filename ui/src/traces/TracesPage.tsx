// Traces: a query, its durations over time, the traces that it finds, and what sets some of them apart.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { runQuery } from '../api/client.ts';
import { loadDeploys } from '../api/deploys.ts';
import { useLoad } from '../api/load.ts';
import { HeatMap, HeatTable } from '../charts/HeatMap.tsx';
import { columnStep, type HeatRow, heatOf, heatQuery, parsePick, pickTerms, pickText } from '../charts/heat.ts';
import { count, plural } from '../format/number.ts';
import { Export } from '../parts/Export.tsx';
import { Foot } from '../parts/Foot.tsx';
import { Failure, StaleNote, useLate } from '../parts/States.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { addTerm, splitSteps } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { live, range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, param, setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { type By, DifferPane } from './DifferPane.tsx';
import { type Differences, differQuery, loadDifferences, type Selection } from './differ.ts';
import { LIMIT, listQuery, loadTraces, MORE, type Order } from './load.ts';
import { NoTraces } from './NoTraces.tsx';
import { knownOutlines, loadOutlines } from './outline.ts';
import { PercentileChart, RateCharts } from './SeriesCharts.tsx';
import { type BucketRow, seriesQuery, type View } from './series.ts';
import { TraceList, TraceListSkeleton } from './TraceList.tsx';

export const DEFAULT_QUERY = 'spans root=true';
const VIEWS: [View, string][] = [
  ['heat', 'Heat map'],
  ['rate', 'Rate'],
  ['percentiles', 'Percentiles'],
];
/** Rows beyond these have no bar of self times. */
const OUTLINED = 200;

function oneOf<T extends string>(value: string | undefined, all: readonly T[]): T | undefined {
  return all.find((one) => one === value);
}

export function TracesPage() {
  const written = param('q') ?? DEFAULT_QUERY;
  const query = scoped(written);
  const filter = splitSteps(query).filter;
  const box = param('box');
  const pick = parsePick(box);
  const view = oneOf(param('view'), ['rate', 'percentiles'] as const) ?? 'heat';
  const order: Order = param('sort') === 'duration' ? 'duration' : 'time';
  const wanted = oneOf(param('differ'), ['box', 'errors', 'slowest'] as const);
  const by: By | undefined = wanted === 'box' && !pick ? 'errors' : wanted;
  const [limit, setLimit] = useState(LIMIT);
  const [selected, setSelected] = useState(-1);
  const [marked, setMarked] = useState<string[]>([]);
  const [table, setTable] = useState(false);
  const listed = pick ? withBox(query, pickTerms(pick)) : query;
  const subject = `${query} ${rangeSubject.value}`;
  const step = columnStep(range.value.to - range.value.from);
  const chartQuery = view === 'heat' ? heatQuery(query, step) : seriesQuery(query, view, step);
  usePage({ here: 'Traces', tab: 'traces', ranged: true, watch: written });

  const total = useLoad(
    subject,
    `${query} ${rangeKey.value}`,
    async (abort) => {
      const answer = await runQuery<{ n: number }>(`${filter} | stats uniq(trace) as n`, range.value, 1, abort);
      return { n: answer.rows[0]?.n ?? 0, about: (answer.stats.approx?.length ?? 0) > 0 };
    },
    true,
  );
  const heat = useLoad(
    `${subject} ${view}`,
    `${view} ${query} ${rangeKey.value}`,
    async (abort) => {
      const { from, to } = range.value;
      const answer = await runQuery<HeatRow & BucketRow>(chartQuery, { from, to }, 10_000, abort);
      return {
        view,
        rows: answer.rows,
        heat: heatOf(view === 'heat' ? answer.rows : [], { from, to }, step),
        step,
        range: { from, to },
        stats: answer.stats,
      };
    },
    true,
  );
  const deploys = useLoad(rangeSubject.value, rangeKey.value, (abort) => loadDeploys(range.value, abort), true);
  const list = useLoad(
    `${subject} ${box ?? ''} ${order}`,
    `${query} ${box ?? ''} ${order} ${limit} ${rangeKey.value}`,
    (abort) => loadTraces(listed, order, range.value, limit, abort),
    true,
  );
  const rows = list.data.value?.traces ?? [];
  const outlined = rows.slice(0, OUTLINED);
  const outlines = useLoad('', outlined.map((row) => `${row.trace}${row.spans}`).join(), (abort) => loadOutlines(outlined, abort));
  const differences = useDifferences(by, query, pick && pickTerms(pick), box ?? '');
  useAsks([
    { what: 'The traces', query: listQuery(listed, order) },
    { what: view === 'heat' ? 'The heat map of durations' : view === 'rate' ? 'Rate and errors' : 'Percentiles', query: chartQuery },
    ...(differences.data.value ? [{ what: 'What differs', query: differQuery(differences.data.value.sides) }] : []),
  ]);
  useLayoutEffect(() => {
    setSelected(-1);
    setLimit(LIMIT);
    setMarked([]);
  }, [subject, order]);

  const open = (index: number) => {
    const row = rows[index];
    if (row) followTo(`/traces/${row.trace}`, 'Traces');
  };
  const pane = useRef<HTMLDivElement>(null);
  const move = (delta: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, selected + delta));
    setSelected(next);
    pane.current?.querySelector(`[data-row="${next}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  const mark = () => {
    const trace = rows[selected]?.trace;
    if (!trace) return;
    live.value = false;
    setMarked(marked.includes(trace) ? marked.filter((one) => one !== trace) : [...marked, trace].slice(-2));
  };
  const differ = (how: By | undefined) => {
    if (how) live.value = false;
    setParams({ differ: how });
  };
  const bad = rows.some((row) => row.errors > 0);
  useKeys('Traces', [
    { keys: ['j', 'ArrowDown'], does: 'next trace', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous trace', run: () => move(-1) },
    { keys: ['Enter'], does: 'open it', run: () => open(selected) },
    { keys: ['x'], does: 'mark it, two to compare', run: mark },
    { keys: ['c'], does: 'compare the two marked', run: () => void compareMarked(marked) },
    { keys: ['d'], does: 'what differs', run: () => differ(by ? undefined : pick ? 'box' : bad ? 'errors' : 'slowest') },
    { keys: ['t'], does: 'chart as a table', run: () => setTable(!table) },
    { keys: ['Escape'], does: 'clear the selection', run: () => (by ? differ(undefined) : setParams({ box: undefined })) },
  ]);

  const failure = list.error.value ?? heat.error.value;
  const ofQuery = failure && failure.status === 400 ? failure : undefined;
  const found = list.data.value;
  const late = useLate(!found && list.busy.value);
  const run = (text: string) => {
    if (text === written) refresh();
    else setParams({ q: text === DEFAULT_QUERY || !text ? undefined : text, box: undefined });
  };
  const empty = found && rows.length === 0 && !failure && !list.stale.value;
  const nothing = empty && written === DEFAULT_QUERY && !pick;
  const chart = heat.data.value;
  const zoom = () => pick && setParams({ from: String(Math.round(pick.from)), to: String(Math.round(pick.to)), box: undefined });
  const brushed = [
    {
      label: 'Its traces',
      run: (span: { from: number; to: number }) => setParams({ from: String(Math.round(span.from)), to: String(Math.round(span.to)) }),
    },
  ];
  return (
    <>
      <h1 class="only-read">Traces</h1>
      <div class="bar qline">
        <QueryBar
          value={written}
          run={run}
          error={ofQuery}
          busy={late || (list.busy.value && list.stale.value)}
          label="Query for traces"
          found={
            total.data.value && !failure ? `${total.data.value.about ? 'about ' : ''}${plural(total.data.value.n, 'trace')}` : undefined
          }
        />
        <span class="seg" role="group" aria-label="Chart">
          {VIEWS.map(([id, label]) => (
            <button type="button" key={id} aria-pressed={view === id} onClick={() => setParams({ view: id === 'heat' ? undefined : id })}>
              {label}
            </button>
          ))}
        </span>
        <Export query={listQuery(listed, order)} name="traces" rows="All traces of this query" />
      </div>
      {ofQuery && <QueryError error={ofQuery} query={written} fix={run} />}
      {failure && !ofQuery && rows.length === 0 ? (
        <Failure error={failure} retry={refresh} />
      ) : nothing ? (
        <NoTraces />
      ) : (
        <div class={`cols ${by ? 'with-panel' : ''}`}>
          <div class="traces" ref={pane}>
            <section class="heatpane" aria-label="Durations">
              <div class="sec">
                <h2>{view === 'heat' ? 'Duration' : view === 'rate' ? 'Rate and errors' : 'Percentiles'}</h2>
                <span class="grow cut">
                  {view === 'heat'
                    ? `stronger is more spans${pick ? '; the blue box is your selection' : ', drag to select'}`
                    : 'of the spans that the query finds'}
                </span>
                {/* Before the buttons: it comes with the chart, and moves nothing that is there. */}
                {view === 'heat' && chart && chart.heat.most > 1 && (
                  <span class="row sm d3 nw wide">
                    1<span class="ramp" />
                    {count(chart.heat.most)} per cell
                  </span>
                )}
                <button
                  type="button"
                  class="link"
                  aria-pressed={by !== undefined}
                  onClick={() => differ(by ? undefined : pick ? 'box' : bad ? 'errors' : 'slowest')}
                >
                  What differs
                </button>
                <button type="button" class="link" aria-pressed={table} onClick={() => setTable(!table)}>
                  {table ? 'As a chart' : 'As a table'}
                </button>
              </div>
              {!chart || chart.view !== view ? (
                <div class="heat" aria-hidden="true" />
              ) : view === 'heat' && table ? (
                <HeatTable heat={chart.heat} />
              ) : view === 'heat' ? (
                <HeatMap
                  heat={chart.heat}
                  range={chart.range}
                  pick={pick}
                  stale={heat.stale.value}
                  marks={deploys.data.value ?? []}
                  actions={[
                    { label: 'Zoom', run: () => zoom() },
                    { label: 'What differs', run: () => differ('box') },
                  ]}
                  onPick={(next) => {
                    if (next) live.value = false;
                    setParams({ box: next && pickText(next), ...(!next && by === 'box' && { differ: undefined }) });
                  }}
                />
              ) : view === 'rate' ? (
                <RateCharts {...chart} marks={deploys.data.value ?? []} table={table} stale={heat.stale.value} actions={brushed} />
              ) : (
                <PercentileChart {...chart} marks={deploys.data.value ?? []} table={table} stale={heat.stale.value} actions={brushed} />
              )}
            </section>
            {failure && !ofQuery && <StaleNote error={failure} retry={refresh} />}
            {marked.length > 0 && (
              <div class="bar marks" role="status">
                <b>{marked.length === 2 ? 'Two traces marked' : 'One trace marked'}</b>
                <span class="d2 grow">{marked.length === 2 ? '' : 'mark another one with x'}</span>
                <button type="button" class="btn s" disabled={marked.length < 2} onClick={() => void compareMarked(marked)}>
                  Compare
                </button>
                <button type="button" class="btn g s" onClick={() => setMarked([])}>
                  Clear
                </button>
              </div>
            )}
            {found ? (
              <TraceList
                traces={rows}
                outlines={outlines.data.value ?? knownOutlines(outlined)}
                selected={selected}
                marked={marked}
                order={order}
                stale={list.stale.value}
              />
            ) : (
              <TraceListSkeleton visible={late} />
            )}
            {empty && <NothingFound query={written} pick={!!pick} />}
            {found?.more && limit < MORE && (
              <button type="button" class="btn more" onClick={() => setLimit(MORE)}>
                Show up to {count(MORE)}
              </button>
            )}
          </div>
          {by && <DifferPane by={by} hasBox={!!pick} query={written} found={differences} />}
        </div>
      )}
      <Foot
        keys={[
          ['drag', 'select in the map'],
          ['Escape', 'clear'],
          ['j k', 'trace'],
          ['d', 'what differs'],
          ['x', 'mark to compare'],
          ['?', 'all keys'],
        ]}
        stats={chart?.stats}
        what="spans"
      />
    </>
  );
}

function compareMarked([a, b]: string[]): void {
  if (a && b) followTo(`/compare?a=${a}&b=${b}`, 'Traces');
}

/** Asked once for a selection, not with every update: who reads a conclusion does not want it to change under the eyes. */
function useDifferences(by: By | undefined, query: string, boxed: string | undefined, box: string) {
  const key = `${by ?? ''} ${by === 'box' ? box : ''} ${query} ${rangeSubject.value}`;
  return useLoad<Differences | undefined>(key, key, async (abort) => {
    if (!by) return undefined;
    const { from, to } = range.value;
    return await loadDifferences(await selectionOf(by, query, boxed, { from, to }, abort), { from, to }, abort);
  });
}

async function selectionOf(
  by: By,
  query: string,
  boxed: string | undefined,
  span: { from: number; to: number },
  abort: AbortSignal,
): Promise<Selection> {
  const all = splitSteps(query).filter;
  if (by === 'box' && boxed) return { all, selected: splitSteps(withBox(query, boxed)).filter, by: ['duration', 'self'] };
  if (by === 'slowest') {
    const answer = await runQuery<{ p: number | string }>(`${all} | stats p99(duration) as p`, span, 1, abort);
    return { all, selected: addTerm(all, `duration>=${answer.rows[0]?.p ?? 0}ns`), by: ['duration', 'self'] };
  }
  return { all, selected: addTerm(all, 'status=error'), by: ['status'] };
}

/** The box belongs to the filter, before any step. */
function withBox(query: string, terms: string): string {
  const { filter, steps } = splitSteps(query);
  return `${filter} ${terms} ${steps}`.trim();
}

function NothingFound({ query, pick }: { query: string; pick: boolean }) {
  const wider = range.value.relative && range.value.to - range.value.from < 86_400_000;
  return (
    <div class="say">
      <h2>No trace matches in this range</h2>
      <p>{pick ? 'Nothing lies inside the box any more.' : 'The filter may be too narrow, or the range too short.'}</p>
      <div class="row">
        {pick && (
          <button type="button" class="btn" onClick={() => setParams({ box: undefined })}>
            Clear the box
          </button>
        )}
        {wider && (
          <button type="button" class="btn" onClick={() => setParams({ from: '-24h', to: undefined })}>
            Look at the last 24 h
          </button>
        )}
        {(param('project') || param('env')) && (
          <button type="button" class="btn" onClick={() => setParams({ project: undefined, env: undefined })}>
            Look at all projects and environments
          </button>
        )}
        {query !== DEFAULT_QUERY && (
          <button type="button" class="btn" onClick={() => setParams({ q: undefined, box: undefined })}>
            Drop the filter
          </button>
        )}
      </div>
    </div>
  );
}
