// One metric over time: aggregate, groups, its series, its examples.
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Value } from '../api/types.ts';
import type { Series, Tone } from '../charts/draw-series.ts';
import { columnStep, durationLiteral } from '../charts/heat.ts';
import { TimeChart } from '../charts/TimeChart.tsx';
import { clock } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { Failure, useLate } from '../parts/States.tsx';
import { splitSteps } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { range, rangeKey, rangeSubject, refresh } from '../state/live.ts';
import { param, setParams } from '../state/route.ts';
import {
  type Aggregate,
  aggregatesOf,
  chartQuery,
  type Exemplar,
  exemplarsOf,
  grownOf,
  intervalOf,
  kindOf,
  type Line,
  linesOf,
  type Metric,
  type Point,
  percentileLines,
  type Row,
  timesOf,
  topLines,
  writer,
} from './metric.ts';

const ROWS_MAX = 10_000;
const SAMPLED = 200;
const EXAMPLES = 200;
const WORDS: Record<Aggregate, string> = {
  rate: 'Rate',
  increase: 'Increase',
  avg: 'Average',
  min: 'Minimum',
  max: 'Maximum',
  mean: 'Mean',
  percentiles: 'Percentiles',
};

export function stepOf({ from, to }: { from: number; to: number }, interval: number, most?: number): number {
  const step = most ? Math.ceil((to - from) / most / 10_000) * 10_000 : columnStep(to - from);
  return Math.max(step, interval);
}

export function MetricPane({ metric, query }: { metric: Metric; query: string }) {
  const filter = splitSteps(query).filter;
  const hows = aggregatesOf(metric);
  const how = hows.find((one) => one === param('agg')) ?? (hows[0] as Aggregate);
  const by = param('by');
  const subject = `${query} ${rangeSubject.value}`;
  const key = `${query} ${rangeKey.value}`;
  const sample = useLoad(
    subject,
    key,
    async (abort) => {
      const { rows } = await runQuery<Point>(`${filter} | limit ${SAMPLED}`, range.value, SAMPLED, abort);
      return { keys: [...new Set(rows.flatMap((row) => Object.keys(row.attr ?? {})))].sort(), interval: intervalOf(rows) };
    },
    true,
  );
  const keys = sample.data.value?.keys;
  const step = stepOf(range.value, sample.data.value?.interval ?? 60_000);
  const exampleQuery = `${filter} trace=* | bucket ${durationLiteral(step)} | stats last(exemplars) as exemplars by bucket | sort bucket desc`;
  const examples = useLoad(
    subject,
    key,
    async (abort) => exemplarsOf((await runQuery<{ exemplars?: Value }>(exampleQuery, range.value, EXAMPLES, abort)).rows),
    true,
  );
  const asked = chartQuery(query, metric, how, by, step, keys ?? []);
  const waits = !keys;
  const chart = useLoad(
    `${subject} ${how} ${by ?? ''}`,
    `${waits} ${asked} ${rangeKey.value}`,
    async (abort) => {
      if (waits) return undefined;
      const span = { ...range.value };
      const { rows } = await runQuery<Row>(asked, span, ROWS_MAX, abort);
      const times = timesOf(span, step);
      const lines =
        how === 'percentiles'
          ? percentileLines(grownOf(rows, times, by, metric.name, keys ?? []), by)
          : linesOf(rows, times, by, metric.name);
      return { times, span, step, how, lines, partial: rows.length >= ROWS_MAX };
    },
    true,
  );
  useAsks([
    { what: `${metric.name}, over time`, query: asked },
    { what: 'Its examples', query: exampleQuery },
  ]);
  const data = chart.data.value;
  const late = useLate(!data && chart.busy.value);
  const error = sample.error.value ?? chart.error.value;
  const groups = [...new Set(['service', 'instance', ...(keys ?? []), ...(by ? [by] : [])])];
  return (
    <section class="metric scroll" aria-label={metric.name} tabIndex={-1}>
      <div class="sec">
        <h2 class="cut">{metric.name}</h2>
        <span class="grow cut">{[kindOf(metric), metric.unit].filter(Boolean).join(', ')}</span>
      </div>
      <div class="row metricbar">
        <span class="seg" role="group" aria-label="Aggregate">
          {hows.map((one) => (
            <button
              type="button"
              key={one}
              aria-pressed={how === one}
              onClick={() => setParams({ agg: one === hows[0] ? undefined : one })}
            >
              {WORDS[one]}
            </button>
          ))}
        </span>
        <label class="row sm">
          <span class="d3">by</span>
          <select class="text" value={by ?? ''} onChange={(event) => setParams({ by: event.currentTarget.value || undefined })}>
            <option value="">nothing</option>
            {groups.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="link sm"
          aria-pressed={param('view') === 'table'}
          onClick={() => setParams({ view: param('view') ? undefined : 'table' })}
        >
          {param('view') === 'table' ? 'As a chart' : 'As a table'}
        </button>
      </div>
      {error && !data ? (
        <Failure error={error} retry={refresh} />
      ) : data ? (
        <Drawn {...data} metric={metric} by={by} stale={chart.stale.value} examples={examples.data.value ?? []} />
      ) : (
        <div class="metricchart" aria-hidden="true">
          {late && <span class="skel" />}
        </div>
      )}
    </section>
  );
}

interface Data {
  times: number[];
  span: { from: number; to: number };
  step: number;
  how: Aggregate;
  lines: Line[];
  partial: boolean;
}

function Drawn({
  times,
  span,
  step,
  how,
  lines,
  partial,
  metric,
  by,
  stale,
  examples,
}: Data & { metric: Metric; by: string | undefined; stale: boolean; examples: Exemplar[] }) {
  const { shown, left } = topLines(lines, how);
  const write = writer(metric.unit, how);
  const tones: Tone[] =
    how === 'percentiles' && !by ? ['soft', 'soft', 'strong'] : shown.length === 1 ? ['strong'] : [1, 2, 3, 4, 5, 6, 'soft'];
  const series: Series[] = shown.map((line, index) => ({ ...line, look: 'line', tone: tones[index] ?? 'soft' }));
  const unit = how === 'percentiles' ? (by ? 'p95 of each' : 'p50, p95 and p99') : how === 'rate' ? 'per second' : (metric.unit ?? '');
  const some = lines.some((line) => line.values.some((value) => value !== null));
  const values = writer(metric.unit, 'avg');
  const near = examples.filter((one) => one.at >= span.from && one.at <= span.to);
  return (
    <>
      <div class="metricchart">
        <TimeChart
          title={WORDS[how]}
          unit={unit}
          times={times}
          step={step}
          range={span}
          series={series}
          tick={write}
          format={write}
          left={56}
          table={param('view') === 'table'}
          stale={stale}
          says={some ? `${plain(shown.length)} of ${metric.name}.` : `Nothing to draw of ${metric.name} in this range.`}
        />
      </div>
      {!some && (
        <p class="metricnote d3">
          {how === 'percentiles'
            ? 'Percentiles need two points of a series: what it counted between them.'
            : 'No point in this range matches.'}
        </p>
      )}
      {partial && (
        <p class="metricnote d3">
          More than {ROWS_MAX.toLocaleString('en')} values came; the chart has the first of them. A shorter range or a filter shows all.
        </p>
      )}
      {near.length > 0 && (
        <div class="examples">
          <div class="strip" role="group" aria-label="Examples on the time axis">
            {near.map((one) => (
              <Link
                key={one.trace}
                follow
                href={`/traces/${one.trace}`}
                title={`${clock(one.at).slice(0, 8)}  ${values(one.value)}`}
                aria-label={`Trace of ${clock(one.at).slice(0, 8)}, ${values(one.value)}`}
              >
                <span class="exdot" style={{ left: `${((one.at - span.from) / (span.to - span.from)) * 100}%` }} />
              </Link>
            ))}
          </div>
        </div>
      )}
      <div class="metrictables">
        <div>
          <table class="mtable">
            <caption class="only-read">Series</caption>
            <thead>
              <tr>
                <th scope="col">{by ?? 'Series'}</th>
                <th scope="col" class="r">
                  Last
                </th>
                <th scope="col" class="r">
                  Most
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((line, index) => (
                <tr key={line.label}>
                  <th scope="row">
                    <span class="row">
                      <span class={`svc ${typeof tones[index] === 'number' ? `h${tones[index]}` : 'off'}`} aria-hidden="true" />
                      <span class="cut">{line.label}</span>
                    </span>
                  </th>
                  <td class="r">{last(line, write)}</td>
                  <td class="r">{most(line, write)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {left > 0 && <p class="metricnote d3">and {left} smaller; a filter in the query shows them</p>}
        </div>
        {near.length > 0 && (
          <table class="mtable">
            <caption class="only-read">Examples</caption>
            <thead>
              <tr>
                <th scope="col">Example trace</th>
                <th scope="col" class="r">
                  At
                </th>
                <th scope="col" class="r">
                  Value
                </th>
              </tr>
            </thead>
            <tbody>
              {near.slice(0, 10).map((one) => (
                <tr key={one.trace}>
                  <th scope="row">
                    <Link follow href={`/traces/${one.trace}`}>
                      <span class="mono">{one.trace.slice(0, 8)}</span>
                    </Link>
                  </th>
                  <td class="r">{clock(one.at).slice(0, 8)}</td>
                  <td class="r">{values(one.value)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </>
  );
}

const plain = (n: number) => (n === 1 ? 'One series' : `${n} series`);

function last(line: Line, write: (value: number) => string): string {
  const value = line.values.findLast((one) => one !== null);
  return value === undefined || value === null ? '–' : write(value);
}

function most(line: Line, write: (value: number) => string): string {
  const known = line.values.filter((value) => value !== null);
  return known.length > 0 ? write(Math.max(...known)) : '–';
}
