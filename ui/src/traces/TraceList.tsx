import { serverNow } from '../api/client.ts';
import type { TraceSummary } from '../api/types.ts';
import { count, duration, plural } from '../format/number.ts';
import { absolute, ago, clock, parseInstant } from '../format/time.ts';
import { ErrorDisc } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows } from '../parts/States.tsx';
import { hold } from '../state/live.ts';
import { setParams } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import type { Order } from './load.ts';
import type { Outline } from './outline.ts';
import { SelfBar } from './SelfBar.tsx';

interface Props {
  traces: TraceSummary[];
  outlines: Map<string, Outline>;
  selected: number;
  /** Traces marked for a comparison. */
  marked: readonly string[];
  order: Order;
  stale: boolean;
}

export function TraceList({ traces, outlines, selected, marked, order, stale }: Props) {
  const longest = Math.max(1, ...traces.map((trace) => Number(trace.duration)));
  return (
    <>
      <Head order={order} />
      <ol
        class={`tracelist ${stale ? 'stale' : ''}`}
        aria-label={order === 'duration' ? 'Traces, slowest first' : 'Traces, newest first'}
        onPointerMove={hold}
      >
        {traces.map((trace, index) => (
          <TraceRow
            key={trace.trace}
            trace={trace}
            outline={outlines.get(trace.trace)}
            marked={marked.includes(trace.trace)}
            longest={longest}
            index={index}
            selected={index === selected}
          />
        ))}
      </ol>
    </>
  );
}

function Head({ order = 'time' }: { order?: Order }) {
  const by = (mine: Order, label: string) => (
    <button
      type="button"
      class="sortby"
      aria-pressed={order === mine}
      title={mine === 'time' ? 'Newest first' : 'Slowest first'}
      onClick={() => setParams({ sort: mine === 'time' ? undefined : mine })}
    >
      {label} {order === mine && '↓'}
    </button>
  );
  return (
    <div class="tr1 head th">
      <span>{by('time', 'Start')}</span>
      <span>Root</span>
      <span>{by('duration', 'Duration')}</span>
      <span>Self time by service</span>
      <span class="r">Spans</span>
      <span>Errors</span>
      <span>User</span>
    </div>
  );
}

interface RowProps {
  trace: TraceSummary;
  outline: Outline | undefined;
  marked: boolean;
  longest: number;
  index: number;
  selected: boolean;
}

function TraceRow({ trace, outline, longest, index, selected, marked }: RowProps) {
  const { ms } = parseInstant(trace.time);
  const ns = Number(trace.duration);
  const service = trace.service ?? 'unknown service';
  return (
    <li>
      <Link class={`tr1 ${selected ? 'sel' : ''} ${marked ? 'marked' : ''}`} follow href={`/traces/${trace.trace}`} data-row={index}>
        <span class="mono d2" title={`${absolute(ms)}, ${ago(ms, serverNow())}`}>
          {clock(ms)}
        </span>
        <span class="row root">
          {/* The outline comes after the list: its place is kept. */}
          <span class="codeslot">
            <StatusCode code={outline?.code} />
          </span>
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
        <SelfBar of={outline?.self} />
        <span class="r d2">{count(trace.spans)}</span>
        <span class="row er">
          {trace.errors > 0 && (
            <>
              <ErrorDisc label={plural(trace.errors, 'error')} />
              <span class="err cut" title={outline?.problem}>
                {outline?.problem ?? plural(trace.errors, 'error')}
              </span>
            </>
          )}
        </span>
        <span class="mono d2 cut">{outline?.user ?? ''}</span>
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
      {visible && <SkeletonRows rows={12} height="32px" widths={['84px', '220px', '110px', '120px', '28px', '120px']} />}
    </div>
  );
}
