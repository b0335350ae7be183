// Logs: a query, its volume over time, its newest lines, and one of them in full beside them.
import { useEffect, useState } from 'preact/hooks';
import { getJson, runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { HistogramAnswer, LogRow } from '../api/types.ts';
import { Histogram } from '../charts/Histogram.tsx';
import { count } from '../format/number.ts';
import { parseInstant } from '../format/time.ts';
import { Foot } from '../parts/Foot.tsx';
import { Failure, useLate } from '../parts/States.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { addTerm } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { live, range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, param, setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { LogDetail } from './LogDetail.tsx';
import { LogRows, LogRowsSkeleton, rowKey } from './LogRows.tsx';

export const DEFAULT_QUERY = 'logs';
const PAGE = 500;
const BUCKETS = 80;

export function LogsPage() {
  const written = param('q') ?? DEFAULT_QUERY;
  const query = scoped(written);
  usePage({ here: 'Logs', tab: 'logs', ranged: true, watch: written });
  useAsks([{ what: 'The lines', query }]);
  const subject = `${query} ${rangeSubject.value}`;
  const key = `${query} ${rangeKey.value}`;
  const lines = useLoad(
    subject,
    key,
    async (abort) => {
      const { from, to } = range.value;
      const answer = await runQuery<LogRow>(query, { from, to }, PAGE, abort);
      return { ...answer, range: { from, to } };
    },
    true,
  );
  const volume = useLoad(
    subject,
    key,
    async (abort) => {
      const { from, to } = range.value;
      const answer = await getJson<HistogramAnswer>('/api/v1/histogram', { query, from, to, buckets: BUCKETS }, abort);
      const buckets = answer.buckets.map((bucket) => ({ at: parseInstant(bucket.time).ms, rows: bucket.rows, errors: bucket.errors }));
      const step = answer.step ? answer.step / 1e6 : (to - from) / BUCKETS;
      return { buckets, step, range: { from, to } };
    },
    true,
  );
  const [older, setOlder] = useState<{ rows: LogRow[]; next: string | undefined; busy: boolean }>({
    rows: [],
    next: undefined,
    busy: false,
  });
  const [chosen, setChosen] = useState<string | undefined>();
  useEffect(() => setOlder({ rows: [], next: lines.data.value?.stats.next, busy: false }), [lines.data.value]);
  const rows = [...(lines.data.value?.rows ?? []), ...older.rows];
  const selected = rows.findIndex((row) => rowKey(row) === chosen);
  const row = rows[selected];
  const choose = (index: number) => {
    const next = rows[index];
    // Whoever reads a line does not want it to move away.
    if (next) live.value = false;
    setChosen(next && rowKey(next));
  };
  const step = (by: number) => choose(Math.max(0, Math.min(rows.length - 1, selected + by)));
  const toTrace = () => row?.trace && followTo(`/traces/${row.trace}${row.span ? `?span=${row.span}` : ''}`, 'Logs');
  useKeys('Logs', [
    { keys: ['j', 'ArrowDown'], does: 'next line', run: () => step(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous line', run: () => step(selected < 0 ? 1 : -1) },
    { keys: ['t', 'Enter'], does: 'its trace', run: () => void toTrace() },
    { keys: ['Escape'], does: 'close the line', run: () => setChosen(undefined) },
  ]);
  const loadOlder = async () => {
    const answered = lines.data.value;
    if (!answered || !older.next) return;
    live.value = false;
    setOlder({ ...older, busy: true });
    try {
      const answer = await runQuery<LogRow>(query, answered.range, PAGE, undefined, older.next);
      setOlder((old) => ({ rows: [...old.rows, ...answer.rows], next: answer.stats.next, busy: false }));
    } catch {
      setOlder((old) => ({ ...old, busy: false }));
    }
  };
  const failure = lines.error.value ?? volume.error.value;
  const ofQuery = failure && failure.status === 400 ? failure : undefined;
  const answered = lines.data.value;
  const late = useLate(!answered && lines.busy.value);
  const matched = answered?.stats.matched;
  const run = (text: string) => {
    if (text === written) refresh();
    else setParams({ q: text === DEFAULT_QUERY || !text ? undefined : text });
  };
  return (
    <>
      <h1 class="only-read">Logs</h1>
      <div class="bar qline">
        <QueryBar
          value={written}
          run={run}
          error={ofQuery}
          busy={late || (lines.busy.value && lines.stale.value)}
          label="Query for log lines"
          found={answered && !failure && matched !== undefined ? `${count(matched)} lines` : undefined}
        />
      </div>
      {ofQuery && <QueryError error={ofQuery} query={written} fix={run} />}
      {failure && !ofQuery && rows.length === 0 ? (
        <Failure error={failure} retry={refresh} />
      ) : (
        <div class={`cols ${row ? 'with-panel' : ''}`}>
          <section class={`left ${lines.stale.value ? 'stale' : ''}`} aria-label="Log lines">
            <div class="histopane">
              {volume.data.value && (
                <Histogram
                  buckets={volume.data.value.buckets}
                  step={volume.data.value.step}
                  range={volume.data.value.range}
                  noun="line"
                  onRange={(from, to) => setParams({ from: String(Math.round(from)), to: String(Math.round(to)) })}
                />
              )}
            </div>
            {answered && rows.length === 0 && !lines.stale.value ? (
              <NoLogs query={written} />
            ) : answered ? (
              <LogRows
                rows={rows}
                selected={selected}
                select={choose}
                more={older.next ? { busy: older.busy, load: () => void loadOlder() } : undefined}
              />
            ) : (
              <LogRowsSkeleton visible={late} />
            )}
          </section>
          {row && (
            <aside class="panel vl" aria-label="The chosen line">
              <LogDetail
                key={chosen}
                row={row}
                close={() => setChosen(undefined)}
                narrow={(term) => setParams({ q: addTerm(written, term) })}
                toTrace={toTrace}
              />
            </aside>
          )}
        </div>
      )}
      <Foot
        keys={[
          ['j k', 'line'],
          ['t', 'its trace'],
          ['l', 'live or pause'],
          ['?', 'all keys'],
        ]}
        stats={answered?.stats}
      />
    </>
  );
}

function NoLogs({ query }: { query: string }) {
  return (
    <div class="say">
      <h2>No log line matches in this range</h2>
      <p>
        {query === DEFAULT_QUERY
          ? 'SDKs send logs only when told to: OTEL_LOGS_EXPORTER=otlp, and an instrumentation for the logger in use.'
          : 'The filter may be too narrow, or the range too short.'}
      </p>
      <div class="row">
        <button type="button" class="btn" onClick={() => setParams({ from: '-24h', to: undefined })}>
          Look at the last 24 h
        </button>
        {query !== DEFAULT_QUERY && (
          <button type="button" class="btn" onClick={() => setParams({ q: undefined })}>
            Drop the filter
          </button>
        )}
      </div>
    </div>
  );
}
