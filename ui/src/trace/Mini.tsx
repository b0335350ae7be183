// A trace in a few rows, each a link to its span.

import { duration } from '../format/number.ts';
import { ErrorDisc } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { href } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import type { MiniRow } from './mini.ts';
import type { TraceModel } from './model.ts';

interface Props {
  model: TraceModel;
  rows: readonly MiniRow[];
  /** Without durations: where there is little room. */
  bare?: boolean;
}

export function MiniTrace({ model, rows, bare }: Props) {
  const total = Math.max(1, model.duration);
  return (
    <div class={`mt ${bare ? 'bare' : ''}`}>
      {rows.map((row, index) => (
        <MiniLine key={index} row={row} model={model} total={total} bare={bare ?? false} />
      ))}
    </div>
  );
}

const percent = (part: number) => `${Math.min(100, Math.max(0, part * 100)).toFixed(2)}%`;

function MiniLine({ row, model, total, bare }: { row: MiniRow; model: TraceModel; total: number; bare: boolean }) {
  const { node, depth, here } = row;
  const span = node.type === 'span' ? node : undefined;
  const name = span?.name ?? 'a span that never arrived';
  const failed = (span?.error ?? false) || row.events.length > 0;
  const event = row.events.at(-1);
  return (
    <Link
      class={`mr ${here ? 'here' : ''}`}
      follow
      href={href(`/traces/${model.id}`, { span: span?.row.span })}
      title={span ? `${span.service} ${name}, ${duration(node.duration)}${failed ? ', failed' : ''}` : name}
    >
      <span class="nm" style={{ paddingLeft: `${Math.min(depth, 6) * (bare ? 9 : 12)}px` }}>
        <span class={`svc cut ${span ? `h${hueOf(span.service)}` : ''}`}>
          <span class="cut">{name}</span>
        </span>
        {failed && <ErrorDisc label="failed" />}
      </span>
      <span class="tl">
        <span
          class={`b ${span ? `h${hueOf(span.service)}` : 'gone'} ${failed ? 'e' : ''}`}
          style={{ left: percent(node.start / total), width: percent(Math.min(node.duration, total - node.start) / total) }}
        />
        {event && here && <span class="at" style={{ left: percent(event.start / total) }} />}
      </span>
      {!bare && <span class="ms">{duration(node.duration)}</span>}
    </Link>
  );
}
