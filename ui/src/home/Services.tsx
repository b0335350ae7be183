// The services, worst first: rate, errors and time with their trends.

import { serverNow } from '../api/client.ts';
import type { OverviewService } from '../api/overview.ts';
import { Spark } from '../charts/Spark.tsx';
import { shares } from '../charts/scale.ts';
import { count, duration, percent } from '../format/number.ts';
import { type RateUnit, rateNumber, rateUnit } from '../format/rate.ts';
import { absolute, ago, parseInstant } from '../format/time.ts';
import { Link } from '../parts/Link.tsx';
import { atLeast, logsQuery, requestsQuery } from '../query/services.ts';
import { addTerm, term } from '../query/write.ts';
import { href } from '../state/route.ts';
import { kept } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import { change, failsBadly, isSlower } from './words.ts';

/** Errors are drawn against at least this share. */
const ERROR_FLOOR = 0.04;

interface Props {
  services: readonly OverviewService[];
  /** Whose newest version is the cause of what is wrong. */
  culprit: string | undefined;
  selected: number;
  stale: boolean;
  /** How many buckets of the trends are whole. */
  whole: number;
}

export function Services({ services, whole, culprit, selected, stale }: Props) {
  const unit = rateUnit(Math.max(0, ...services.map((row) => row.rate ?? 0)));
  return (
    <table class={`svt ${stale ? 'stale' : ''}`}>
      <caption class="only-read">Services, the worst first</caption>
      <thead>
        <tr class="th">
          <th scope="col" class="n">
            Service
          </th>
          <th scope="col" class="opt ver">
            Version
          </th>
          <th scope="col" class="v rate">
            Rate
          </th>
          <td class="sp rate" />
          <th scope="col" class="v">
            Errors
          </th>
          <td class="sp" />
          <th scope="col" class="v p95">
            p95
          </th>
          <td class="sp p95" />
          <th scope="col" class="v opt">
            Instances
          </th>
          <th scope="col" class="lg opt">
            Logs
          </th>
        </tr>
      </thead>
      <tbody>
        {services.map((row, index) => (
          <Row
            key={`${row.kind} ${row.service}`}
            row={row}
            unit={unit}
            whole={whole}
            culprit={row.service === culprit}
            selected={index === selected}
            index={index}
          />
        ))}
      </tbody>
    </table>
  );
}

export function serviceHref(row: OverviewService, more?: string): string {
  const query = requestsQuery(row.service, row.kind);
  return href('/traces', { ...kept.value, q: more ? addTerm(query, more) : query });
}

const KINDS = { service: '', database: 'database', messaging: 'messaging', external: 'external' };
const LANGUAGES: Record<string, string> = {
  nodejs: 'Node',
  python: 'Python',
  java: 'Java',
  go: 'Go',
  cpp: 'C++',
  c: 'C',
  dotnet: '.NET',
  ruby: 'Ruby',
  rust: 'Rust',
  php: 'PHP',
  webjs: 'Browser',
};

function about(row: OverviewService): string {
  if (row.kind !== 'service') {
    const what = row.system && row.system !== row.service ? row.system : KINDS[row.kind];
    return `${what}, from client spans`;
  }
  const language = row.language ? (LANGUAGES[row.language] ?? row.language) : '';
  const version = /^v?\d+(\.\d+)?/.exec(row.runtime ?? '')?.[0]?.replace(/^v/, '') ?? '';
  return [language, version].filter(Boolean).join(' ');
}

interface RowProps {
  row: OverviewService;
  unit: RateUnit;
  whole: number;
  culprit: boolean;
  selected: boolean;
  index: number;
}

function Row({ row, unit, whole, culprit, selected, index }: RowProps) {
  const bad = failsBadly(row);
  const slow = isSlower(row);
  const slower = change(row.p95, row.before?.p95);
  const cut = <T,>(list: readonly T[]) => list.slice(0, whole);
  const spark = row.spark && { requests: cut(row.spark.requests), errors: cut(row.spark.errors), p95: cut(row.spark.p95) };
  return (
    <tr class={selected ? 'sel' : ''} data-row={index}>
      <th scope="row" class="n">
        <Link class="plain m" href={serviceHref(row)}>
          <span class={`svc h${hueOf(row.service)} ${row.kind === 'service' ? '' : 'ext'}`}>
            <span class="cut">{row.service}</span>
          </span>
        </Link>
        <div class="xs d3 cut">{about(row)}</div>
      </th>
      <td class="opt ver">
        <Version row={row} culprit={culprit} />
      </td>
      <td class="v rate">
        <Link class="plain" href={serviceHref(row)}>
          {rateNumber(row.rate ?? 0, unit)}
          <span class="d3 u">{unit.label}</span>
        </Link>
      </td>
      <td class="sp rate">{spark && <Spark values={spark.requests} />}</td>
      <td class={`v ${bad ? 'err m' : ''}`}>
        <Link class="plain" href={serviceHref(row, 'status=error')}>
          {percent(row.error_ratio ?? 0)}
        </Link>
      </td>
      <td class="sp">
        {spark && <Spark values={shares(spark.errors, spark.requests)} floor={ERROR_FLOOR} {...(bad && { tone: 'e' as const })} />}
      </td>
      <td class="v p95">
        {row.p95 === undefined ? (
          <span class="d3">none</span>
        ) : (
          <Link class="plain" href={serviceHref(row, atLeast(row.p95))}>
            {duration(row.p95)}
          </Link>
        )}
        {slower && <div class={`xs ${slow ? 'wrn' : 'd3'}`}>{slower.text}</div>}
      </td>
      <td class="sp p95">{spark && <Spark values={spark.p95} {...(slow && { tone: 'w' as const })} />}</td>
      <td class="v opt">{row.instances === undefined ? <span class="d3">–</span> : count(row.instances)}</td>
      <td class="lg opt">
        <LogCounts row={row} />
      </td>
    </tr>
  );
}

function Version({ row, culprit }: { row: OverviewService; culprit: boolean }) {
  if (!row.version) return <span class="d3">–</span>;
  const since = row.version_since ? parseInstant(row.version_since).ms : undefined;
  return (
    <>
      <Link class="plain mono" href={serviceHref(row, term('version', row.version))}>
        {row.version}
      </Link>
      {since !== undefined && (
        <div class={`xs ${culprit ? 'err' : 'd3'}`} title={absolute(since)}>
          {ago(since, serverNow())}
        </div>
      )}
    </>
  );
}

function LogCounts({ row }: { row: OverviewService }) {
  if (row.kind !== 'service') return <span class="d3">–</span>;
  const errors = row.log_errors ?? 0;
  return (
    <>
      <Link class="plain" href={href('/logs', { ...kept.value, q: logsQuery(row.service) })}>
        {count(row.logs ?? 0)} <span class="d3">{row.logs === 1 ? 'line' : 'lines'}</span>
      </Link>
      {errors > 0 && (
        <div class="xs">
          <Link class="plain err" href={href('/logs', { ...kept.value, q: logsQuery(row.service, 'level>=error') })}>
            {count(errors)} {errors === 1 ? 'error' : 'errors'}
          </Link>
        </div>
      )}
    </>
  );
}
