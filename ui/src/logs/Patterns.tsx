// The lines by what they have in common: one row a pattern, the most frequent first.
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { PatternRow } from '../api/overview.ts';
import { durationLiteral } from '../charts/heat.ts';
import { SparkBars } from '../charts/Spark.tsx';
import { count, percent } from '../format/number.ts';
import { clock, parseInstant } from '../format/time.ts';
import { Holes } from '../parts/Holes.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { addTerm, splitSteps, term, writeValue } from '../query/write.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { setParams } from '../state/route.ts';
import { scoped } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';

const SHOWN = 200;
const TRENDS = 30;
const BUCKETS = 40;
/** Bytes of patterns in one question. */
const ROOM = 10_000;

const NAMES = 3;

function ofPatterns(query: string, patterns: readonly string[]): string {
  return addTerm(splitSteps(query).filter, `pattern=(${patterns.map((pattern) => writeValue(pattern)).join(', ')})`);
}

export function patternsQuery(query: string): string {
  return `${splitSteps(query).filter} | patterns | limit ${SHOWN}`;
}

/** `patterns` counts the services; these are their names, the most frequent first. */
export function namesQuery(query: string, patterns: readonly string[]): string {
  return `${ofPatterns(query, patterns)} | stats values(service, ${NAMES}) as names by pattern`;
}

export function trendQuery(query: string, patterns: readonly string[], stepMs: number): string {
  return `${ofPatterns(query, patterns)} | bucket ${durationLiteral(stepMs)} | stats count() as n by bucket, pattern`;
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800];

/** The first texts that together are not longer than `room`. */
function fitting(texts: readonly string[], room: number): string[] {
  let used = 0;
  return texts.filter((text) => {
    used += text.length + 4;
    return used <= room;
  });
}

async function loadPatterns(query: string, abort: AbortSignal) {
  const { from, to } = range.value;
  const answer = await runQuery<PatternRow>(patternsQuery(query), { from, to }, SHOWN, abort);
  const step = (STEPS_S.find((s) => (to - from) / (s * 1000) <= BUCKETS) ?? 604_800) * 1000;
  // What makes the question too long has no trend.
  const asked = fitting(
    answer.rows.slice(0, TRENDS).map((row) => row.pattern),
    ROOM,
  );
  const trends = new Map<string, number[]>();
  const names = new Map<string, string[]>();
  if (asked.length > 0) {
    const [counts, named] = await Promise.all([
      runQuery<{ bucket: string; pattern: string; n: number }>(trendQuery(query, asked, step), { from, to }, 10_000, abort),
      runQuery<{ pattern: string; names?: string[] }>(namesQuery(query, asked), { from, to }, 10_000, abort),
    ]);
    for (const row of named.rows) names.set(row.pattern, row.names ?? []);
    const begin = Math.floor(from / step) * step;
    const n = Math.ceil((to - begin) / step);
    for (const pattern of asked) trends.set(pattern, new Array<number>(n).fill(0));
    for (const row of counts.rows) {
      const trend = trends.get(row.pattern);
      const at = Math.round((parseInstant(row.bucket).ms - begin) / step);
      if (trend && at >= 0 && at < n) trend[at] = row.n;
    }
  }
  return { rows: answer.rows, trends, names, stats: answer.stats };
}

export function Patterns({ written }: { written: string }) {
  const query = scoped(written);
  const found = useLoad(`${query} ${rangeSubject.value}`, `${query} ${rangeKey.value}`, (abort) => loadPatterns(query, abort), true);
  const data = found.data.value;
  const late = useLate(!data && found.busy.value);
  if (found.error.value && !data) return <Failure error={found.error.value} retry={found.retry} />;
  if (data?.rows.length === 0)
    return (
      <div class="say">
        <h2>No line, no pattern</h2>
        <p>Nothing matches in this range. Drop a term of the filter, or take a longer range.</p>
      </div>
    );
  return (
    <div
      class={`scroll patterns ${found.stale.value ? 'stale' : ''}`}
      tabIndex={0}
      role="region"
      aria-label="Patterns, the most frequent first"
    >
      <table>
        <thead>
          <tr class="th">
            <th scope="col" class="r">
              Lines
            </th>
            <th scope="col">Share</th>
            <th scope="col" class="wide">
              Trend
            </th>
            <th scope="col">Level</th>
            <th scope="col" class="wide">
              Services
            </th>
            <th scope="col">Pattern</th>
            <th scope="col" class="wide">
              Last
            </th>
          </tr>
        </thead>
        <tbody>
          {data?.rows.map((row) => (
            <PatternLine
              key={row.pattern}
              row={row}
              trend={data.trends.get(row.pattern)}
              services={data.names.get(row.pattern) ?? []}
              written={written}
            />
          ))}
        </tbody>
      </table>
      {!data && late && <SkeletonRows rows={12} height="28px" widths={['48px', '60px', '90px', '36px', '70px', '380px']} />}
      {data?.rows.length === SHOWN && <p class="fnone d3 sm">The {SHOWN} most frequent. A narrower filter shows rarer ones.</p>}
    </div>
  );
}

function toneOf(level: string | undefined): { tone?: 'e' | 'w' } {
  if (level === 'error' || level === 'fatal') return { tone: 'e' };
  return level === 'warn' ? { tone: 'w' } : {};
}

interface LineProps {
  row: PatternRow;
  trend: number[] | undefined;
  services: readonly string[];
  written: string;
}

function PatternLine({ row, trend, services, written }: LineProps) {
  const more = (row.services ?? 0) - services.length;
  const open = () => setParams({ q: addTerm(written, term('pattern', row.pattern)), view: undefined });
  return (
    <tr class={`pt l-${row.level ?? ''}`}>
      <td class="r m">{count(row.count)}</td>
      <td>
        <span class="pshare">
          <i style={{ width: `${Math.max(1, row.share * 100)}%` }} />
          <span class="d2">{percent(row.share)}</span>
        </span>
      </td>
      <td class="wide">{trend && <SparkBars values={trend} {...toneOf(row.level)} />}</td>
      <td class={`mono lv ${row.level ?? ''}`}>{row.level ?? '–'}</td>
      <td class="wide">
        <span class="row psvc">
          {services.map((service) => (
            <span key={service} class={`svc h${hueOf(service)}`}>
              {service}
            </span>
          ))}
          {services.length > 0 && more > 0 && <span class="d3">+{more}</span>}
        </span>
      </td>
      <td class="ptext">
        <button type="button" class="mono cut" title={`${row.pattern}\nOnly these lines`} onClick={open}>
          <Holes text={row.pattern} />
        </button>
      </td>
      <td class="mono d3 wide">{row.last ? clock(parseInstant(row.last).ms).slice(0, 8) : ''}</td>
    </tr>
  );
}
