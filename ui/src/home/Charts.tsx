// Three charts on one time axis: how much, how much of it failed, how long it took.
import { useMemo } from 'preact/hooks';
import type { Overview } from '../api/overview.ts';
import type { Mark, Series } from '../charts/draw-series.ts';
import type { Span } from '../charts/scale.ts';
import { shares } from '../charts/scale.ts';
import { type BrushAction, TimeChart } from '../charts/TimeChart.tsx';
import { count, duration, percent, plural } from '../format/number.ts';
import { rateNumber, rateUnit } from '../format/rate.ts';
import { parseInstant } from '../format/time.ts';
import { go, href } from '../state/route.ts';
import { kept } from '../state/scope.ts';

/** Errors' full scale is never less than this share. */
const ERROR_FLOOR = 0.04;

const ACTIONS: BrushAction[] = [
  { label: 'Its traces', run: (span) => goWithin('/traces', 'spans root=true', span) },
  { label: 'Its errors', run: (span) => goWithin('/traces', 'spans status=error', span) },
];

function goWithin(page: string, query: string, span: Span): void {
  go(href(page, { ...kept.value, from: String(Math.round(span.from)), to: String(Math.round(span.to)), q: query }));
}

/** A unit for the axis, from its size in ns; the title names it. */
function timeUnit(most: number): { name: string; ns: number } {
  if (most >= 10e9) return { name: 's', ns: 1e9 };
  return most >= 1e6 ? { name: 'ms', ns: 1e6 } : { name: 'µs', ns: 1e3 };
}

/** An axis shows small numbers with the digits they need. */
function tickNumber(value: number): string {
  return value === 0 || value >= 10 || Number.isInteger(value) ? count(value) : value.toFixed(1);
}

interface Props {
  overview: Overview;
  span: Span;
  table: boolean;
  stale: boolean;
}

export function HomeCharts({ overview, span, table, stale }: Props) {
  const { series, deploys } = overview;
  const data = useMemo(() => {
    const step = overview.step / 1e6;
    const perSecond = series.requests.map((n) => n / (step / 1000));
    const unit = rateUnit(Math.max(0, ...perSecond));
    const ratio = shares(series.errors, series.requests);
    const line = (label: string, values: readonly (number | null)[], tone: Series['tone']): Series => ({
      label,
      values,
      look: 'line',
      tone,
    });
    return {
      step,
      times: series.time.map((time) => parseInstant(time).ms),
      unit,
      time: timeUnit(Math.max(0, ...series.p95.map((n) => n ?? 0))),
      requests: [{ label: 'Requests', values: perSecond.map((n) => n * unit.factor), look: 'bars', tone: 'vol' }] as Series[],
      errors: [{ label: 'Errors', values: ratio, look: 'area', tone: 'error' }] as Series[],
      latency: [line('p95', series.p95, 'soft'), line('p50', series.p50, 'strong')],
      all: series.requests.reduce((sum, n) => sum + n, 0),
      bad: series.errors.reduce((sum, n) => sum + n, 0),
    };
  }, [series, overview.step]);
  const marks = useMemo<Mark[]>(
    () =>
      deploys.map((deploy) => ({
        at: parseInstant(deploy.time).ms,
        label: `${deploy.service} ${deploy.version}`,
        bad: deploy.worse === true,
      })),
    [deploys],
  );
  const { unit, time } = data;
  const shared = { times: data.times, step: data.step, range: span, marks, table, stale, actions: ACTIONS };
  return (
    <section class="multi" aria-label="Charts">
      <TimeChart
        {...shared}
        title="Requests"
        unit={unit.words}
        series={data.requests}
        tick={tickNumber}
        format={(value) => `${rateNumber(value / unit.factor, unit)} ${unit.label}`}
        says={`${plural(data.all, 'request')} in this range.`}
      />
      <TimeChart
        {...shared}
        title="Errors"
        unit="share of requests"
        series={data.errors}
        floor={ERROR_FLOOR}
        tick={(value) => `${Math.round(value * 1000) / 10}%`}
        format={percent}
        says={`${count(data.bad)} of ${plural(data.all, 'request')} failed.`}
      />
      <TimeChart
        {...shared}
        title="Latency"
        unit={`p50 and p95, ${time.name}`}
        series={data.latency}
        tick={(value) => count(value / time.ns)}
        format={duration}
        says="How long half, and nineteen of twenty, of the requests took at most."
      />
    </section>
  );
}

export function HomeChartsSkeleton() {
  return (
    <div aria-hidden="true">
      <section class="multi">
        {[0, 1, 2].map((n) => (
          <figure class="tchart" key={n}>
            <figcaption>
              <span class="skel" style={{ width: '120px', height: '10px' }} />
            </figcaption>
            <div class="plot" />
          </figure>
        ))}
      </section>
      <div class="grid hl">
        <div class="main">
          <div class="sec" />
          {[0, 1, 2, 3, 4, 5].map((n) => (
            <div class="skel-row svc-skel" key={n}>
              <span class="skel" style={{ width: '120px', opacity: 1 - n / 8 }} />
              <span class="skel" style={{ width: '60px', opacity: 1 - n / 8 }} />
              <span class="skel wide" style={{ width: '320px', opacity: 1 - n / 8 }} />
            </div>
          ))}
        </div>
        <div class="side vl" />
      </div>
    </div>
  );
}
