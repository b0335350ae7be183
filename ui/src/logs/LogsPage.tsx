// Logs: a query, its volume over time, the fields of what it finds, and the lines, the newest first.
import { ListFilter, WrapText } from 'lucide';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { loadDeploys } from '../api/deploys.ts';
import { useLoad } from '../api/load.ts';
import type { LogRow } from '../api/types.ts';
import { Histogram } from '../charts/Histogram.tsx';
import { columnStep } from '../charts/heat.ts';
import { count } from '../format/number.ts';
import { Export } from '../parts/Export.tsx';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Failure, useLate } from '../parts/States.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { addTerm } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { arrived, live, range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { followTo, param, setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { Facets, facetQuery, useCloses } from './Facets.tsx';
import { LogRows, LogRowsSkeleton } from './LogRows.tsx';
import { aroundQuery, KEPT, loadLines, loadVolume, PAGE, volumeQuery } from './load.ts';
import { Patterns, patternsQuery } from './Patterns.tsx';
import { Pager } from './pager.ts';
import { Tail } from './Tail.tsx';
import { searched } from './text.ts';

export const DEFAULT_QUERY = 'logs';
const AROUND = [10, 20, 100, 500];

export function LogsPage() {
  const written = param('q') ?? DEFAULT_QUERY;
  const query = scoped(written);
  const view = param('view') === 'patterns' ? 'patterns' : 'lines';
  const around = param('around');
  const beside = Number(param('beside')) || 20;
  const columns = (param('cols') ?? '').split(',').filter(Boolean);
  const wrap = param('wrap') === '1';
  const [chosen, setChosen] = useState(-1);
  const [open, setOpen] = useState(false);
  const [down, setDown] = useState(false);
  const [fieldsOpen, setFieldsOpen] = useState(false);
  const subject = around ? `around ${around} ${beside}` : `${query} ${rangeSubject.value}`;
  usePage({ here: 'Logs', tab: 'logs', ranged: true, watch: written });
  const step = columnStep(range.value.to - range.value.from);
  const asked = around ? aroundQuery(around, beside) : query;
  useAsks([
    {
      what: view === 'patterns' ? 'The patterns' : around ? 'The lines around one' : 'The lines',
      query: view === 'patterns' ? patternsQuery(query) : asked,
    },
    { what: 'Their volume', query: volumeQuery(query, step) },
    { what: 'The fields', query: facetQuery(query) },
  ]);

  // Who reads further down, or one line in full, keeps the lines as they are; what is new waits.
  const reading = down || chosen >= 0 || around !== undefined;
  const key = around ? subject : `${asked} ${rangeKey.value}`;
  const held = useRef({ subject, key, arrived: arrived.value });
  if (!reading || held.current.subject !== subject) held.current = { subject, key, arrived: arrived.value };
  const waiting = reading && !around ? Math.max(0, arrived.value - held.current.arrived) : 0;

  const lines = useLoad(subject, held.current.key, (abort) => loadLines(asked, range.value, abort), true);
  const volume = useLoad(
    `${query} ${rangeSubject.value}`,
    `${query} ${rangeKey.value}`,
    (abort) => loadVolume(query, range.value, abort),
    true,
  );
  const deploys = useLoad(rangeSubject.value, rangeKey.value, (abort) => loadDeploys(range.value, abort), true);
  useLayoutEffect(() => {
    setChosen(-1);
    setOpen(false);
    setDown(false);
  }, [subject]);

  const answered = lines.data.value;
  const pager = useMemo(() => new Pager<LogRow>(PAGE, KEPT), []);
  const [, redraw] = useState(0);
  const fetching = useRef<AbortController | undefined>(undefined);
  const [older, setOlder] = useState<'no' | 'busy' | 'failed'>('no');
  useMemo(() => {
    fetching.current?.abort();
    fetching.current = undefined;
    pager.begin(answered?.rows ?? [], answered?.stats.next ?? undefined);
  }, [answered]);
  useEffect(() => () => fetching.current?.abort(), []);
  useEffect(() => {
    const at = around && answered ? answered.rows.findIndex((row) => row.match) : -1;
    if (at >= 0) setChosen(at);
  }, [answered, around]);
  const seen = async (first: number, last: number) => {
    const wanted = pager.wanted(first, last);
    if (!wanted || !answered || fetching.current) return;
    const mine = new AbortController();
    fetching.current = mine;
    setOlder('busy');
    try {
      const answer = await loadLines(asked, answered.range, mine.signal, wanted.cursor);
      if (mine.signal.aborted) return;
      pager.put(wanted.page, answer.rows, answer.stats.next ?? undefined);
      setOlder('no');
    } catch {
      if (!mine.signal.aborted) setOlder('failed');
    }
    if (fetching.current === mine) fetching.current = undefined;
    redraw((n) => n + 1);
  };

  const row = chosen >= 0 ? pager.at(chosen) : undefined;
  const move = (by: number) => setChosen(Math.max(0, Math.min(pager.length - 1, chosen < 0 ? 0 : chosen + by)));
  const toTrace = () => row?.trace && followTo(`/traces/${row.trace}${row.span ? `?span=${row.span}` : ''}`, 'Logs');
  const lookAround = () => row?.id && setParams({ around: row.id, view: undefined });
  const showPatterns = () => setParams({ view: view === 'patterns' ? undefined : 'patterns', around: undefined });
  const back = () => {
    if (open) setOpen(false);
    else if (around) setParams({ around: undefined, beside: undefined });
    else setChosen(-1);
  };
  useKeys('Logs', [
    { keys: ['j', 'ArrowDown'], does: 'next line', run: () => move(1) },
    { keys: ['k', 'ArrowUp'], does: 'previous line', run: () => move(-1) },
    { keys: ['Enter'], does: 'the line in full', run: () => chosen >= 0 && setOpen(!open) },
    { keys: ['t'], does: 'its trace', run: () => void toTrace() },
    { keys: ['o'], does: 'lines around it', run: () => void lookAround() },
    { keys: ['p'], does: 'patterns', run: showPatterns },
    { keys: ['w'], does: 'wrap long lines', run: () => setParams({ wrap: wrap ? undefined : '1' }, { replace: true }) },
    { keys: ['Escape'], does: 'close the line', run: back },
  ]);
  useCloses(fieldsOpen, () => setFieldsOpen(false));

  const failure = lines.error.value ?? volume.error.value;
  const ofQuery = failure && failure.status === 400 ? failure : undefined;
  const late = useLate(!answered && lines.busy.value);
  const words = useMemo(() => searched(written), [written]);
  const run = (text: string) => {
    if (text === written) refresh();
    else setParams({ q: text === DEFAULT_QUERY || !text ? undefined : text, around: undefined });
  };
  const toTop = () => {
    setChosen(-1);
    setOpen(false);
    setDown(false);
    document.querySelector('.loglist')?.scrollTo({ top: 0 });
    refresh();
  };
  const total = volume.data.value?.total;
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
          found={total !== undefined && !failure ? `${count(total)} ${total === 1 ? 'line' : 'lines'}` : undefined}
        />
        <button
          type="button"
          class="btn i narrow fbutton"
          aria-label="Fields"
          aria-expanded={fieldsOpen}
          onClick={() => setFieldsOpen(!fieldsOpen)}
        >
          <Icon icon={ListFilter} size={14} />
        </button>
        <span class="seg" role="group" aria-label="What is shown">
          <button type="button" aria-pressed={view === 'lines'} onClick={() => setParams({ view: undefined })}>
            Lines
          </button>
          <button type="button" aria-pressed={view === 'patterns'} onClick={showPatterns}>
            Patterns
          </button>
        </span>
        <span class="row qacts">
          <button
            type="button"
            class="btn i"
            aria-label="Wrap long lines"
            title="Wrap long lines (w)"
            aria-pressed={wrap}
            onClick={() => setParams({ wrap: wrap ? undefined : '1' }, { replace: true })}
          >
            <Icon icon={WrapText} size={14} />
          </button>
          <Export query={query} name="logs" rows="All lines of this query" />
          <Tail />
        </span>
      </div>
      {ofQuery && <QueryError error={ofQuery} query={written} fix={run} />}
      {failure && !ofQuery && pager.length === 0 ? (
        <Failure error={failure} retry={refresh} />
      ) : (
        <div class="cols logcols">
          <Facets written={written} open={fieldsOpen} />
          <section class={`left ${lines.stale.value ? 'stale' : ''}`} aria-label="Log lines">
            <div class="histopane">
              {volume.data.value && (
                <Histogram
                  {...volume.data.value}
                  noun="line"
                  marks={deploys.data.value ?? []}
                  onRange={(from, to) => setParams({ from: String(Math.round(from)), to: String(Math.round(to)), around: undefined })}
                />
              )}
            </div>
            {around && (
              <div class="bar marks">
                <b>Lines around one</b>
                <span class="d2 grow cut">before and after it in the same process, whatever the filter</span>
                <span class="seg s" role="group" aria-label="How many before and after">
                  {AROUND.map((n) => (
                    <button
                      type="button"
                      key={n}
                      aria-pressed={n === beside}
                      onClick={() => setParams({ beside: n === 20 ? undefined : String(n) }, { replace: true })}
                    >
                      {n}
                    </button>
                  ))}
                </span>
                <button type="button" class="btn s" onClick={() => setParams({ around: undefined, beside: undefined })}>
                  Back to the lines
                </button>
              </div>
            )}
            {view === 'patterns' ? (
              <Patterns written={written} />
            ) : answered && pager.length === 0 && !lines.stale.value ? (
              <NoLogs query={written} />
            ) : answered ? (
              <div class="lines">
                {waiting > 0 && live.value && (
                  <button type="button" class="btn p newlines" onClick={toTop}>
                    {count(waiting)} new {waiting === 1 ? 'line' : 'lines'}
                  </button>
                )}
                <LogRows
                  key={subject}
                  length={pager.length}
                  at={(index) => pager.at(index)}
                  selected={chosen}
                  select={setChosen}
                  open={open}
                  setOpen={setOpen}
                  columns={columns}
                  setColumns={(next) => setParams({ cols: next.join(',') || undefined }, { replace: true })}
                  wrap={wrap}
                  words={words}
                  seen={(first, last) => void seen(first, last)}
                  scrolled={(top) => setDown(top > 44)}
                  more={older === 'busy'}
                  narrow={(term) => setParams({ q: addTerm(written, term), around: undefined })}
                  toTrace={toTrace}
                  around={lookAround}
                />
                {older === 'failed' && (
                  <p class="note sm" role="alert">
                    Older lines could not be read.{' '}
                    <button type="button" class="link" onClick={() => setOlder('no')}>
                      Retry
                    </button>
                  </p>
                )}
              </div>
            ) : (
              <LogRowsSkeleton visible={late} />
            )}
          </section>
        </div>
      )}
      <Foot
        keys={[
          ['j k', 'line'],
          ['Enter', 'expand'],
          ['t', 'its trace'],
          ['o', 'lines around'],
          ['p', 'patterns'],
          ['l', 'tail'],
        ]}
        stats={answered?.stats}
        what="lines"
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
        {(param('project') || param('env')) && (
          <button type="button" class="btn" onClick={() => setParams({ project: undefined, env: undefined })}>
            Look at all projects and environments
          </button>
        )}
      </div>
    </div>
  );
}
