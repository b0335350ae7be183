// A release over time: its errors, how many of its sessions crash, how far it is adopted; its deploys stand in all three.
import { useMemo } from 'preact/hooks';
import type { ReleaseDetail } from '../api/releases.ts';
import type { Mark, Series } from '../charts/draw-series.ts';
import { shares } from '../charts/scale.ts';
import { TimeChart } from '../charts/TimeChart.tsx';
import { count, percent, plural } from '../format/number.ts';
import { parseInstant } from '../format/time.ts';
import { range } from '../state/live.ts';
import { bucketsOf } from '../traces/series.ts';
import { crashFree, crashShares, every } from './words.ts';

export interface ErrorRow {
  bucket: string;
  n: number;
}

const CRASH_FLOOR = 0.01;

interface Props {
  release: ReleaseDetail;
  errors: readonly ErrorRow[] | undefined;
  failed: string | undefined;
  /** Of the errors, ms. */
  step: number;
}

export function ReleaseCharts({ release, errors, failed, step }: Props) {
  const { health } = release;
  const span = range.value;
  const hours = health.step / 1e6;
  const health_ = useMemo(() => {
    const crash: Series[] = [
      { label: 'sessions', values: crashShares(health.sessions, health.crashed), look: 'bars', tone: 'error' },
      { label: 'users so far', values: crashShares(health.users_so_far, health.crashed_users_so_far), look: 'line', tone: 'soft' },
    ];
    return {
      times: health.time.map((time) => parseInstant(time).ms),
      crash: release.users ? crash : crash.slice(0, 1),
      adoption: [{ label: 'adoption', values: shares(health.sessions, health.all_sessions), look: 'bars', tone: 'vol' }] as Series[],
    };
  }, [health, release.users]);
  const counted = useMemo(() => {
    const { times, at } = bucketsOf(
      (errors ?? []).map((row) => ({ ...row, bad: 0 })),
      span,
      step,
    );
    const values = at.map((row) => row?.n ?? 0);
    return { times, values, all: values.reduce((sum, n) => sum + n, 0) };
  }, [errors, span.from, span.to, step]);
  const marks = useMemo<Mark[]>(
    () => release.deploys.map(({ environment, time }) => ({ at: parseInstant(time).ms, label: environment })),
    [release.deploys],
  );
  // Its hours are whole: the first one may begin before the range.
  const wide = { from: Math.min(span.from, health_.times[0] ?? span.from), to: span.to };
  const ofHealth = { times: health_.times, step: hours, range: wide, marks };
  return (
    <section class="multi rmulti hl" aria-label="Over time">
      <TimeChart
        title="Errors"
        unit={failed ?? every(step)}
        times={counted.times}
        step={step}
        range={span}
        marks={marks}
        series={[{ label: 'errors', values: counted.values, look: 'bars', tone: 'error' }]}
        tick={count}
        format={(n) => plural(n, 'error')}
        says={`${plural(counted.all, 'error')} in this range.`}
      />
      <TimeChart
        {...ofHealth}
        title="Crashed"
        unit={`share of sessions, ${every(hours)}`}
        series={health_.crash}
        floor={CRASH_FLOOR}
        tick={(share) => `${Math.round(share * 1000) / 10}%`}
        format={(share) => `${crashFree(1 - share)} crash-free`}
        says={release.sessions ? `${crashFree(release.crash_free_sessions)} of its sessions were free of crashes.` : 'No sessions.'}
      />
      <TimeChart
        {...ofHealth}
        title="Adoption"
        unit={`share of all sessions, ${every(hours)}`}
        series={health_.adoption}
        floor={1}
        tick={(share) => `${Math.round(share * 100)}%`}
        format={percent}
        says={release.adoption === undefined ? 'No sessions.' : `${percent(release.adoption)} of the sessions of this range.`}
      />
    </section>
  );
}
