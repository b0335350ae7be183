// Metrics: which there are, one of them over time, and the traces that its points give as examples.
import '../styles/metrics.css';
import { useMemo } from 'preact/hooks';
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Value } from '../api/types.ts';
import { plural } from '../format/number.ts';
import { Foot } from '../parts/Foot.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { choiceOf } from '../query/facet.ts';
import { QueryBar } from '../query/QueryBar.tsx';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { param, setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { MetricPane, stepOf } from './MetricPane.tsx';
import { type Metric, metricQuery, NAMES_QUERY } from './metric.ts';
import { Names } from './Names.tsx';
import { SPARKS, sparkRows, sparksOf } from './sparks.ts';

const NAMES_MAX = 1000;

export function MetricsPage() {
  usePage({ here: 'Metrics', tab: 'metrics', ranged: true, watch: 'metrics', pace: 5000 });
  const names = useLoad(
    rangeSubject.value,
    rangeKey.value,
    async (abort) => (await runQuery<Metric>(scoped(NAMES_QUERY), range.value, NAMES_MAX, abort)).rows,
    true,
  );
  const sparkStep = stepOf(range.value, 10_000, SPARKS);
  const sparks = useLoad(
    rangeSubject.value,
    rangeKey.value,
    async (abort) => sparksOf(await sparkRows(range.value, sparkStep, abort), range.value, sparkStep),
    true,
  );
  const all = names.data.value;
  const written = param('q') ?? (all?.[0] ? metricQuery(first(all)) : undefined);
  const name = written ? choiceOf(written, 'name').only[0] : undefined;
  const metric = all?.find((one) => one.name === name);
  const late = useLate(!all && names.busy.value);
  const error = names.error.value;
  useKeys('Metrics', [
    { keys: ['t'], does: 'chart as a table', run: () => setParams({ view: param('view') ? undefined : 'table' }, { replace: true }) },
    { keys: ['j'], does: 'next metric', run: () => step(all, name, 1) },
    { keys: ['k'], does: 'previous metric', run: () => step(all, name, -1) },
  ]);
  useAsks(metric ? [] : [{ what: 'The metrics', query: scoped(NAMES_QUERY) }]);
  const run = (text: string) => (text === written ? refresh() : setParams({ q: text || undefined, by: undefined, agg: undefined }));
  const found = useMemo(() => (all ? plural(all.length, 'metric') : undefined), [all]);
  return (
    <>
      <h1 class="only-read">Metrics</h1>
      <div class="bar qline">
        <QueryBar value={written ?? ''} run={run} error={undefined} busy={late} label="Query for metrics" found={found} />
      </div>
      {error && !all ? (
        <Failure error={error} retry={refresh} />
      ) : all?.length === 0 && !names.stale.value ? (
        <NoMetrics />
      ) : (
        <div class="metrics">
          <section class="names" aria-label="Names of metrics">
            {all ? (
              <Names metrics={all} sparks={sparks.data.value} name={name} stale={names.stale.value} />
            ) : (
              late && <SkeletonRows rows={14} height="44px" widths={['180px', '60px']} />
            )}
          </section>
          {written && metric ? (
            <MetricPane key={metric.name} metric={metric} query={scoped(written)} />
          ) : (
            all && (
              <div class="say">
                <h2>{name ? `No points of ${name} in this range` : 'Choose a metric'}</h2>
                <p>
                  {name ? 'A wider range may have some, or another name in the list.' : 'A query here is about one metric: metrics name=…'}
                </p>
              </div>
            )
          )}
        </div>
      )}
      <Foot
        keys={[
          ['j k', 'metric'],
          ['t', 'as a table'],
        ]}
      >
        <span class="cost">at most six series, the others together</span>
      </Foot>
    </>
  );
}

/** What most people look for first. */
function first(all: readonly Metric[]): string {
  const known = all.find((one) => one.name === 'http.server.request.duration' || one.name === 'http.server.duration');
  return (known ?? (all[0] as Metric)).name;
}

function step(all: readonly Metric[] | undefined, name: Value | undefined, by: number): void {
  const at = all?.findIndex((one) => one.name === name) ?? -1;
  const next = all?.[Math.max(0, Math.min(all.length - 1, at + by))];
  if (next) setParams({ q: metricQuery(next.name), by: undefined, agg: undefined });
}

function NoMetrics() {
  return (
    <div class="say">
      <h2>No metric has arrived in this range</h2>
      <p>
        SDKs send metrics when <code class="mono">OTEL_METRICS_EXPORTER=otlp</code> is set, by default once a minute.
      </p>
      <Link class="btn" href="/setup">
        Connect a service
      </Link>
    </div>
  );
}
