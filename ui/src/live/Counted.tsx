// What a metric or timer probe has counted, as it counts: the number, a small chart, and the way to its metric.
import { useMemo } from 'preact/hooks';
import { runQuery, serverNow } from '../api/client.ts';
import { type Loaded, useLoad } from '../api/load.ts';
import type { Probe } from '../api/probes.ts';
import type { Series } from '../charts/draw-series.ts';
import { Spark } from '../charts/Spark.tsx';
import { TimeChart } from '../charts/TimeChart.tsx';
import { count, plural } from '../format/number.ts';
import type { Row } from '../metrics/metric.ts';
import { useEvery } from '../parts/every.ts';
import { Link } from '../parts/Link.tsx';
import { byOf, countedOf, countedQuery, countedRange, type Counted as Found, howWords, nameOf, STEP_MS, writeOf } from './counted.ts';
import { countOf, firstError, isAlive, metricAddress, notYet } from './words.ts';

const ROWS_MAX = 5000;

/** Asked again as often as its agents report, while it stands. */
function useCounted(probe: Probe): Loaded<Found> {
  const turn = useEvery(STEP_MS);
  const key = `counted ${probe.id} ${probe.revision}`;
  const again = isAlive(probe) && !probe.paused ? turn : 0;
  return useLoad(
    key,
    `${key} ${again}`,
    async (abort) => {
      const range = countedRange(probe, serverNow());
      const { rows } = await runQuery<Row>(countedQuery(probe), range, ROWS_MAX, abort);
      return countedOf(probe, rows, range);
    },
    true,
  );
}

/** In its row of the list. */
export function CountedSpark({ probe }: { probe: Probe }) {
  const found = useCounted(probe).data.value;
  const values = useMemo(
    () => found?.times.map((_, at) => found.lines.reduce<number | null>((sum, line) => add(sum, line.values[at]), null)) ?? [],
    [found],
  );
  return <Spark values={values} width={44} height={14} />;
}

const add = (sum: number | null, value: number | null | undefined) => (value === null || value === undefined ? sum : (sum ?? 0) + value);

export function Counted({ probe, listening }: { probe: Probe; listening: boolean }) {
  const load = useCounted(probe);
  const found = load.data.value;
  const error = load.error.value;
  const failed = firstError(probe);
  const alive = isAlive(probe) && !probe.paused;
  const by = byOf(probe);
  const series = useMemo(
    (): Series[] =>
      (found?.lines ?? []).map((line, index, { length }) => ({
        label: line.label,
        values: line.values,
        look: 'line',
        tone: length > 1 ? index + 1 : 'strong',
      })),
    [found],
  );
  const write = writeOf(probe);
  const n = countOf(probe);
  return (
    <section class="hits counted" aria-label="Hits">
      <div class="sec">
        <h2>Counted</h2>
        <span class="grow nw cut" role="status">
          {plural(n, 'run')} {probe.kind === 'timer' ? 'timed' : 'counted'}
          {probe.instances.length > 1 && ` in ${plural(probe.instances.length, 'instance')}`}
        </span>
        {failed && (
          <span class="sm err cut" title={failed}>
            first failure: {failed}
          </span>
        )}
        <Link class="link sm nw" href={metricAddress(probe)}>
          Open in Metrics
        </Link>
        <span class={`row sm nw ${alive && listening ? 'okc' : 'd3'}`}>
          <span class={`dot ${alive && listening ? 'k' : ''}`} />
          {!alive ? (probe.paused ? 'paused' : 'ended') : listening ? 'listening' : 'reconnecting'}
        </span>
      </div>
      {error && !found ? (
        <p class="hsay" role="alert">
          <span class="err">{error.message}</span> {error.hint}{' '}
          <button type="button" class="link" onClick={load.retry}>
            Retry
          </button>
        </p>
      ) : found && series.length === 0 ? (
        <p class="hsay d2">
          {n > 0
            ? `${count(n)} so far; the first points come with the agent’s next report, every ten seconds.`
            : alive
              ? `Counting, nothing yet: ${notYet(probe)}.`
              : 'It counted nothing.'}
        </p>
      ) : (
        <div class="countc">
          <TimeChart
            title={nameOf(probe)}
            unit={`${howWords(probe)}${by ? `, by ${by}` : ''}`}
            times={found?.times ?? []}
            step={STEP_MS}
            range={found?.range ?? { from: 0, to: 1 }}
            series={series}
            floor={1.25 * Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0)))}
            tick={write}
            format={write}
            says={`${nameOf(probe)} ${howWords(probe)}, ${plural(series.length, 'line')}`}
            stale={load.stale.value}
            left={56}
            still
          />
          {found && found.left > 0 && <p class="xs d3">{plural(found.left, 'smaller series', 'smaller series')} not drawn.</p>}
        </div>
      )}
    </section>
  );
}
