// The query's spans over time as numbers: how many and how many of them failed, or how long they took.

import type { Mark, Series } from '../charts/draw-series.ts';
import { type BrushAction, TimeChart } from '../charts/TimeChart.tsx';
import { count, duration, percent, plural } from '../format/number.ts';
import { rateNumber, rateUnit } from '../format/rate.ts';
import type { BucketRow } from './series.ts';
import { bucketsOf } from './series.ts';

export interface SeriesProps {
  rows: BucketRow[];
  step: number;
  range: { from: number; to: number };
  marks: readonly Mark[];
  table: boolean;
  stale: boolean;
  actions: readonly BrushAction[];
}

export function RateCharts({ rows, step, actions, ...shared }: SeriesProps) {
  const { times, at } = bucketsOf(rows, shared.range, step);
  const perSecond = at.map((row) => (row?.n ?? 0) / (step / 1000));
  const unit = rateUnit(Math.max(0, ...perSecond));
  const ratio = at.map((row) => (row && row.n > 0 ? row.bad / row.n : null));
  const all = rows.reduce((sum, row) => sum + row.n, 0);
  const bad = rows.reduce((sum, row) => sum + row.bad, 0);
  const common = { ...shared, times, step, actions };
  return (
    <div class="twocharts">
      <TimeChart
        {...common}
        title="Rate"
        unit={unit.words}
        series={[{ label: 'Spans', values: perSecond.map((n) => n * unit.factor), look: 'bars', tone: 'vol' }]}
        tick={(value) => (value === 0 || value >= 10 || Number.isInteger(value) ? count(value) : value.toFixed(1))}
        format={(value) => `${rateNumber(value / unit.factor, unit)} ${unit.label}`}
        says={`${plural(all, 'span')} in this range.`}
      />
      <TimeChart
        {...common}
        title="Errors"
        unit="share of these spans"
        series={[{ label: 'Errors', values: ratio, look: 'area', tone: 'error' }]}
        floor={0.04}
        tick={(value) => `${Math.round(value * 1000) / 10}%`}
        format={percent}
        says={`${count(bad)} of ${plural(all, 'span')} failed.`}
      />
    </div>
  );
}

export function PercentileChart({ rows, step, actions, ...shared }: SeriesProps) {
  const { times, at } = bucketsOf(rows, shared.range, step);
  const line = (label: string, key: 'p50' | 'p95' | 'p99', tone: Series['tone']): Series => ({
    label,
    values: at.map((row) => (row?.[key] === undefined ? null : Number(row[key]))),
    look: 'line',
    tone,
  });
  const series = [line('p99', 'p99', 'soft'), line('p95', 'p95', 'soft'), line('p50', 'p50', 'strong')];
  const most = Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0)));
  const [unit, ns] = most >= 10e9 ? ['s', 1e9] : most >= 1e6 ? ['ms', 1e6] : ['µs', 1e3];
  return (
    <div class="onechart">
      <TimeChart
        {...shared}
        times={times}
        step={step}
        actions={actions}
        title="Duration"
        unit={`p50, p95 and p99, ${unit}`}
        series={series}
        tick={(value) => count(value / (ns as number))}
        format={duration}
        says="How long half, nineteen of twenty and ninety-nine of a hundred spans took at most."
      />
    </div>
  );
}
