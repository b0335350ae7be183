// Traces: a query, its durations as a heat map, and the newest traces it finds.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiError, runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { HeatMap } from '../charts/HeatMap.tsx';
import { columnStep, type HeatRow, heatOf, heatQuery, parsePick, pickTerms, pickText } from '../charts/heat.ts';
import { count, plural } from '../format/number.ts';
import { Foot } from '../parts/Foot.tsx';
import { Failure, useLate } from '../parts/States.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { splitSteps } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { live, range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, param, setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { LIMIT, loadTraces, MORE } from './load.ts';
import { NoTraces } from './NoTraces.tsx';
import { TraceList, TraceListSkeleton } from './TraceList.tsx';

export const DEFAULT_QUERY = 'spans root=true';

export function TracesPage() {
  const written = param('q') ?? DEFAULT_QUERY;
  const query = scoped(written);
  usePage({ here: 'Traces', tab: 'traces', ranged: true, watch: written });
  useAsks([
    { what: 'The traces', query: query.includes('| traces') ? query : `${query} | traces` },
    { what: 'The heat map of durations', query: heatQuery(query, columnStep(range.value.to - range.value.from)) },
  ]);
  const pick = parsePick(param('box'));
  const [limit, setLimit] = useState(LIMIT);
  const [selected, setSelected] = useState(-1);
  const subject = `${query} ${rangeSubject.value}`;

  const heat = useLoad(
    subject,
    `${query} ${rangeKey.value}`,
    async (abort) => {
      const { from, to } = range.value;
      const step = columnStep(to - from);
      const { filter } = splitSteps(query);
      const [answer, total] = await Promise.all([
        runQuery<HeatRow>(heatQuery(query, step), { from, to }, 10_000, abort),
        runQuery<{ n: number }>(`${filter} | stats uniq(trace) as n`, { from, to }, 1, abort),
      ]);
      return {
        heat: heatOf(answer.rows, { from, to }, step),
        range: { from, to },
        stats: answer.stats,
        traces: total.rows[0]?.n ?? 0,
        about: (total.stats.approx?.length ?? 0) > 0,
      };
    },
    true,
  );
  const list = useLoad(
    `${subject} ${param('box') ?? ''}`,
    `${query} ${param('box') ?? ''} ${limit} ${rangeKey.value}`,
    (abort) => {
      const { from, to } = range.value;
      return loadTraces(pick ? withBox(query, pickTerms(pick)) : query, { from, to }, limit, abort);
    },
    true,
  );
  useEffect(() => {
    setSelected(-1);
    setLimit(LIMIT);
  }, [subject]);

  const rows = list.data.value?.traces ?? [];
  const open = (index: number) => {
    const row = rows[index];
    if (row) followTo(`/traces/${row.trace}`, 'Traces');
  };
  const pane = useRef<HTMLDivElement>(null);
  const move = (by: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, selected + by));
    setSelected(next);
    pane.current?.querySelector(`[data-row="${next}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  const keys = [
    { keys: ['j', 'ArrowDown'], does: 'next trace', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous trace', run: () => move(-1) },
    { keys: ['Enter'], does: 'open it', run: () => open(selected) },
    { keys: ['Escape'], does: 'clear the selection in the map', run: () => setParams({ box: undefined }) },
  ];
  useKeys('Traces', keys);

  const failure = list.error.value ?? heat.error.value;
  const ofQuery = failure && failure.status === 400 ? failure : undefined;
  const found = list.data.value;
  const late = useLate(!found && list.busy.value);
  const run = (text: string) => {
    if (text === written) refresh();
    else setParams({ q: text === DEFAULT_QUERY || !text ? undefined : text, box: undefined });
  };
  const empty = found && rows.length === 0 && !failure && !list.stale.value;
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
            heat.data.value && !failure ? `${heat.data.value.about ? 'about ' : ''}${plural(heat.data.value.traces, 'trace')}` : undefined
          }
        />
      </div>
      {ofQuery && <QueryError error={ofQuery} query={written} fix={run} />}
      {failure && !ofQuery && rows.length === 0 ? (
        <Failure error={failure} retry={refresh} />
      ) : empty && query === DEFAULT_QUERY && !pick ? (
        <NoTraces />
      ) : (
        <div class="traces" ref={pane}>
          <section class="heatpane" aria-label="Durations">
            <div class="sec">
              <h2>Duration</h2>
              <span class="grow cut">stronger is more spans{pick ? '; the blue box is your selection' : ', drag to select'}</span>
              {heat.data.value && heat.data.value.heat.most > 1 && (
                <span class="row sm d3 nw">
                  1<span class="ramp" />
                  {count(heat.data.value.heat.most)} per cell
                </span>
              )}
            </div>
            {heat.data.value ? (
              <HeatMap
                heat={heat.data.value.heat}
                range={heat.data.value.range}
                pick={pick}
                stale={heat.stale.value}
                onPick={(next) => {
                  if (next) live.value = false;
                  setParams({ box: next && pickText(next) });
                }}
              />
            ) : (
              <div class="heat" aria-hidden="true" />
            )}
          </section>
          {failure && !ofQuery && <StaleNote error={failure} />}
          {found ? (
            <TraceList traces={rows} details={found.details} selected={selected} stale={list.stale.value} />
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
      )}
      <Foot
        keys={[
          ['drag', 'select in the map'],
          ['Escape', 'clear'],
          ['j k', 'trace'],
          ['Enter', 'open'],
          ['?', 'all keys'],
        ]}
        stats={heat.data.value?.stats}
      />
    </>
  );
}

/** The box belongs to the filter, before any step. */
function withBox(query: string, terms: string): string {
  const { filter, steps } = splitSteps(query);
  return `${filter} ${terms} ${steps}`.trim();
}

function StaleNote({ error }: { error: ApiError }) {
  return (
    <p class="note sm" role="status">
      <b>{error.message}</b> {error.hint} What you see is from before.{' '}
      <button type="button" class="link" onClick={refresh}>
        Retry
      </button>
    </p>
  );
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
