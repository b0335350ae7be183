// The lines: only those in sight are in the page.
import { ChartNoAxesGantt } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import type { Attributes, LogRow } from '../api/types.ts';
import { useSize } from '../charts/canvas.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { SkeletonRows } from '../parts/States.tsx';
import { hold, live } from '../state/live.ts';
import { hueOf } from '../state/services.ts';
import { logText } from '../trace/model.ts';

const HEIGHT = 22;
const NARROW_HEIGHT = 44;

export function rowKey(row: LogRow): string {
  return `${row.time} ${row.service ?? ''} ${row.span ?? ''} ${logText(row).slice(0, 60)}`;
}

interface Props {
  rows: LogRow[];
  selected: number;
  select: (index: number) => void;
  more: { busy: boolean; load: () => void } | undefined;
}

function Head() {
  return (
    <div class="lg1 head th wide" aria-hidden="true">
      <span>Time</span>
      <span>Level</span>
      <span>Service</span>
      <span>Message and fields</span>
    </div>
  );
}

export function LogRows({ rows, selected, select, more }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const height = size.width > 0 && size.width < 620 ? NARROW_HEIGHT : HEIGHT;
  const first = Math.max(0, Math.floor(top / height) - 10);
  const last = Math.min(rows.length, Math.ceil((top + size.height) / height) + 10);
  useEffect(() => {
    const element = box.current;
    if (!element || selected < 0) return;
    const y = selected * height;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + height > element.scrollTop + element.clientHeight) element.scrollTop = y + 2 * height - element.clientHeight;
  }, [selected, height]);
  return (
    <>
      <Head />
      <div
        class="loglist scroll"
        ref={box}
        tabIndex={0}
        role="listbox"
        aria-label="Log lines, newest first"
        aria-activedescendant={selected >= first && selected < last ? `line-${selected}` : undefined}
        onPointerMove={hold}
        onScroll={(event) => {
          setTop(event.currentTarget.scrollTop);
          // Whoever reads further down is not to be pushed about by what arrives on top.
          if (event.currentTarget.scrollTop > 2 * height) live.value = false;
        }}
      >
        <div role="presentation" style={{ height: `${first * height}px` }} />
        {rows.slice(first, last).map((row, offset) => (
          <Line
            key={`${first + offset} ${row.time}`}
            row={row}
            index={first + offset}
            selected={first + offset === selected}
            select={() => select(first + offset)}
          />
        ))}
        <div role="presentation" style={{ height: `${(rows.length - last) * height}px` }} />
      </div>
      {more && last >= rows.length && (
        <div class="older">
          <button type="button" class="btn s" disabled={more.busy} onClick={more.load}>
            {more.busy ? 'Reading older lines' : 'Show older lines'}
          </button>
        </div>
      )}
    </>
  );
}

const QUIET = /^(code\.|exception\.|thread\.|process\.|telemetry\.)/;

/** The fields that say something about this line, not about where it was written. */
function fieldsOf(attr: Attributes | undefined): [string, string][] {
  return Object.entries(attr ?? {})
    .filter(([name]) => !QUIET.test(name))
    .slice(0, 6)
    .map(([name, value]) => [name, valueText(value).slice(0, 80)]);
}

function Line({ row, index, selected, select }: { row: LogRow; index: number; selected: boolean; select: () => void }) {
  const { ms } = parseInstant(row.time);
  const service = row.service ?? 'unknown service';
  const level = row.level ?? '';
  return (
    <div role="option" id={`line-${index}`} class={`lg1 ${selected ? 'sel' : ''} l-${level}`} aria-selected={selected} onClick={select}>
      <span class="mono d2" title={absolute(ms)}>
        {clock(ms)}
      </span>
      <span class={`mono lv ${level}`}>{level || '–'}</span>
      <span class={`svc h${hueOf(service)} cut`}>{service}</span>
      <span class="mono cut msg">
        <span class={`lt ${level}`}>{logText(row).replace(/\s+/g, ' ').slice(0, 600)}</span>
        {fieldsOf(row.attr).map(([name, value]) => (
          <span class="d3 f" key={name}>
            {name}={value}
          </span>
        ))}
      </span>
      {row.trace && (
        <span class="tr d3" title="Has a trace (t)">
          <Icon icon={ChartNoAxesGantt} size={14} />
        </span>
      )}
    </div>
  );
}

export function LogRowsSkeleton({ visible }: { visible: boolean }) {
  return (
    <div aria-busy="true">
      <Head />
      {visible && <SkeletonRows rows={12} height="22px" widths={['84px', '36px', '70px', '420px']} />}
    </div>
  );
}
