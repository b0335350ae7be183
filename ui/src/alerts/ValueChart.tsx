// A query's value in each window of the past, beside the line that it must not cross.
import { useMemo } from 'preact/hooks';
import type { Op } from '../api/alerts.ts';
import { type ApiError, runQuery, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Value } from '../api/types.ts';
import type { Series } from '../charts/draw-series.ts';
import { TimeChart } from '../charts/TimeChart.tsx';
import { plural } from '../format/number.ts';
import { span } from '../format/span.ts';
import { addTerm, term } from '../query/write.ts';
import { type Read, readRows } from './value.ts';
import { bucketed, lookBack, OP_WORDS, valueText } from './words.ts';

interface Props {
  query: string;
  window_s: number;
  op: Op;
  threshold: number | undefined;
  project?: string | undefined;
  /** Asked again when this changes. */
  turn?: number;
}

export function useValue({ query, window_s, project, turn = 0 }: Props) {
  const asked = query.trim() && bucketed(project ? addTerm(query, term('project', project)) : query, window_s);
  const key = `${asked} ${window_s}`;
  return useLoad<Read | undefined>(
    key,
    `${key} ${turn}`,
    async (abort) => {
      if (!asked) return undefined;
      const step = window_s * 1000;
      const to = Math.floor(serverNow() / step) * step + step;
      const from = to - lookBack(window_s);
      const { rows } = await runQuery<Record<string, Value>>(asked, { from, to }, 20_000, abort);
      return readRows(rows, from, to, step);
    },
    true,
  );
}

export function ValueChart(props: Props) {
  const load = useValue(props);
  const number = (n: number) => valueText(props.query, n);
  const { query, window_s, op, threshold } = props;
  const read = load.data.value;
  const series = useMemo((): Series[] => {
    if (!read) return [];
    const limit =
      threshold === undefined ? [] : [{ label: 'limit', values: read.times.map(() => threshold), look: 'line', tone: 'error' } as Series];
    return [
      ...read.lines.map(
        (line, index): Series => ({
          label: line.label || 'value',
          values: line.values,
          look: 'line',
          tone: read.lines.length > 1 ? index + 1 : 'strong',
        }),
      ),
      ...limit,
    ];
  }, [read, threshold]);
  const error: ApiError | undefined = load.error.value;
  const drawable = query.trim() !== '' && bucketed(query, window_s) !== undefined;
  const crossed = read && threshold !== undefined ? read.crossings(op, threshold) : 0;
  const over = window_s * 12 > 86_400 ? span(window_s * 12) : 'day';
  return (
    <div class="vchart">
      {!drawable || error ? (
        <p class="sm d3 vnone">
          {error
            ? 'No chart: the query is not answered.'
            : query.trim()
              ? 'The value over time is drawn for queries that end in stats.'
              : 'Write a query to see its value over the last day.'}
        </p>
      ) : (
        <>
          <TimeChart
            title={`Over ${span(window_s)}`}
            unit={`each, the last ${over}`}
            times={read?.times ?? []}
            step={window_s * 1000}
            range={read?.range ?? { from: 0, to: 1 }}
            series={series}
            floor={threshold === undefined ? 1 : Math.abs(threshold) * 1.2}
            tick={number}
            format={number}
            says={read ? `The value was ${OP_WORDS[op]} ${number(threshold ?? 0)} in ${plural(crossed, 'window')}` : 'loading'}
            stale={load.stale.value}
            left={48}
            still
          />
          <p class="sm d2" aria-live="polite">
            {!read
              ? '\u00a0'
              : read.lines.length === 0
                ? `No row in the last ${over}: the rule would not have fired.`
                : threshold === undefined
                  ? `${plural(read.lines.length, 'row')} a window.`
                  : crossed === 0
                    ? `It would not have fired in the last ${over}.`
                    : `It was ${OP_WORDS[op]} ${number(threshold)} in ${plural(crossed, 'window')} of the last ${over}.`}
            {read && read.cut > 0 && <span class="d3"> {plural(read.cut, 'more row')} not drawn.</span>}
          </p>
        </>
      )}
    </div>
  );
}
