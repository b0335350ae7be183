import { serverNow } from '../api/client.ts';
import type { TraceSummary } from '../api/types.ts';
import { count, duration, plural } from '../format/number.ts';
import { absolute, ago, clock, parseInstant } from '../format/time.ts';
import { ErrorDisc } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows } from '../parts/States.tsx';
import { hold } from '../state/live.ts';
import { hueOf } from '../state/services.ts';
import { type Details, shortProblem } from './load.ts';

interface Props {
  traces: TraceSummary[];
  details: Map<string, Details>;
  selected: number;
  stale: boolean;
}

export function TraceList({ traces, details, selected, stale }: Props) {
  const longest = Math.max(1, ...traces.map((trace) => Number(trace.duration)));
  return (
    <>
      <Head />
      <ol class={`tracelist ${stale ? 'stale' : ''}`} aria-label="Traces, newest first" onPointerMove={hold}>
        {traces.map((trace, index) => (
          <TraceRow
            key={trace.trace}
            trace={trace}
            details={details.get(trace.trace)}
            longest={longest}
            index={index}
            selected={index === selected}
          />
        ))}
      </ol>
    </>
  );
}

function Head() {
  return (
    <div class="tr1 head th" aria-hidden="true">
      <span>Start ↓</span>
      <span>Root</span>
      <span>Duration</span>
      <span class="r">Spans</span>
      <span class="r">Services</span>
      <span>Errors</span>
      <span>User</span>
    </div>
  );
}

interface RowProps {
  trace: TraceSummary;
  details: Details | undefined;
  longest: number;
  index: number;
  selected: boolean;
}

function TraceRow({ trace, details, longest, index, selected }: RowProps) {
  const { ms } = parseInstant(trace.time);
  const ns = Number(trace.duration);
  const service = trace.service ?? 'unknown service';
  return (
    <li>
      <Link class={`tr1 ${selected ? 'sel' : ''}`} follow href={`/traces/${trace.trace}`} data-row={index}>
        <span class="mono d2" title={`${absolute(ms)}, ${ago(ms, serverNow())}`}>
          {clock(ms)}
        </span>
        <span class="row root">
          <StatusCode code={details?.code} />
          <span class={`svc h${hueOf(service)}`} title={service}>
            <span class="cut">{trace.name ?? '(no name)'}</span>
          </span>
          <span class="d3 sm cut of">
            <span class="narrow">{clock(ms).slice(0, 8)} </span>
            {service}
          </span>
          {!trace.complete && (
            <span class="pill w" title="Some of its spans have not arrived">
              partial
            </span>
          )}
        </span>
        <span class="du">
          <span>{duration(ns)}</span>
          {ns > longest * 0.015 && <i style={{ width: `${(100 * ns) / longest}%` }} />}
        </span>
        <span class="r d2">{count(trace.spans)}</span>
        <span class="r d2">{count(trace.services)}</span>
        <span class="row er">
          {trace.errors > 0 && (
            <>
              <ErrorDisc label={plural(trace.errors, 'error')} />
              <span class="err cut" title={details?.problem}>
                {details?.problem ? shortProblem(details.problem) : plural(trace.errors, 'error')}
              </span>
            </>
          )}
        </span>
        <span class="mono d2 cut">{details?.user ?? ''}</span>
      </Link>
    </li>
  );
}

/** Shown where it says something: everything but 2xx and 3xx is coloured. */
export function StatusCode({ code }: { code: number | undefined }) {
  if (code === undefined) return null;
  return <span class={`pill code ${code >= 500 ? 'e' : code >= 400 ? 'w' : ''}`}>{code}</span>;
}

export function TraceListSkeleton({ visible }: { visible: boolean }) {
  return (
    <div aria-busy="true">
      <Head />
      {visible && <SkeletonRows rows={12} height="32px" widths={['84px', '220px', '110px', '28px', '28px', '120px']} />}
    </div>
  );
}
