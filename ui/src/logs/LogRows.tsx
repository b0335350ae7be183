// The lines: only those in sight are in the page, and one of them may be open, with all its fields under it.
import { ChartNoAxesGantt, X } from 'lucide';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { LogRow } from '../api/types.ts';
import { useSize } from '../charts/canvas.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { SkeletonRows } from '../parts/States.tsx';
import { WRITTEN_BY } from '../snapshots/FromProbe.tsx';
import { hold } from '../state/live.ts';
import { hueOf } from '../state/services.ts';
import { logText } from '../trace/model.ts';
import { valueAt } from './fields.ts';
import { LogDetail } from './LogDetail.tsx';
import { marked, safeText } from './text.ts';

const HEIGHT = 22;
const WRAPPED = 58;
const NARROW_HEIGHT = 44;
const BEYOND = 12;

interface Props {
  length: number;
  at: (index: number) => LogRow | undefined;
  selected: number;
  select: (index: number) => void;
  open: boolean;
  setOpen: (open: boolean) => void;
  columns: readonly string[];
  setColumns: (columns: string[]) => void;
  wrap: boolean;
  words: readonly string[];
  /** Rows [first, last) are in sight. */
  seen: (first: number, last: number) => void;
  /** How far the reader has scrolled down. */
  scrolled: (top: number) => void;
  more: boolean;
  narrow: (term: string) => void;
  toTrace: () => void;
  around: () => void;
}

const gridOf = (columns: readonly string[]) => ({
  gridTemplateColumns: `92px 40px 96px ${columns.map(() => 'minmax(80px, 160px)').join(' ')} minmax(0, 1fr) 20px`,
});

function Head({ columns = [], remove }: { columns?: readonly string[]; remove?: (name: string) => void }) {
  return (
    <div class="lg1 head th wide" style={gridOf(columns)}>
      <span>Time</span>
      <span>Level</span>
      <span>Service</span>
      {columns.map((name) => (
        <span class="row lcol" key={name}>
          <span class="cut" title={name}>
            {name}
          </span>
          <button type="button" aria-label={`Remove the column ${name}`} onClick={() => remove?.(name)}>
            <Icon icon={X} size={12} />
          </button>
        </span>
      ))}
      <span>Message and fields</span>
    </div>
  );
}

export function LogRows(props: Props) {
  const { length, at, selected, select, open, setOpen, columns, wrap, words, seen } = props;
  const [box, size] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const [detail, setDetail] = useState(0);
  const height = size.width > 0 && size.width < 620 ? NARROW_HEIGHT : wrap ? WRAPPED : HEIGHT;
  const opened = open && selected >= 0 ? selected : -1;
  const extra = opened >= 0 ? detail : 0;
  /** Where a row stands, and which row stands at a place: rows are of one height, but for what is open under one. */
  const topOf = (index: number) => index * height + (opened >= 0 && index > opened ? extra : 0);
  const rowAt = (y: number) => {
    if (opened < 0 || y < (opened + 1) * height) return Math.floor(y / height);
    return y < (opened + 1) * height + extra ? opened : Math.floor((y - extra) / height);
  };
  const first = Math.max(0, rowAt(top) - BEYOND);
  const last = Math.min(length, rowAt(top + size.height) + 1 + BEYOND);
  useEffect(() => seen(first, last), [first, last, length]);
  useEffect(() => {
    const element = box.current;
    if (!element || selected < 0) return;
    const y = topOf(selected);
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + height > element.scrollTop + element.clientHeight) element.scrollTop = y + 2 * height - element.clientHeight;
  }, [selected, height]);
  return (
    <>
      <Head columns={columns} remove={(name) => props.setColumns(columns.filter((one) => one !== name))} />
      <div
        class={`loglist scroll ${wrap ? 'wrapped' : ''}`}
        ref={box}
        tabIndex={0}
        role="region"
        aria-label="Log lines, newest first"
        onPointerMove={hold}
        onScroll={(event) => {
          setTop(event.currentTarget.scrollTop);
          props.scrolled(event.currentTarget.scrollTop);
        }}
      >
        <div class="lspace" style={{ height: `${length * height + extra}px` }}>
          {Array.from({ length: Math.max(0, last - first) }, (_, offset) => {
            const index = first + offset;
            const row = at(index);
            return (
              <div class="lrow" key={index} style={{ top: `${topOf(index)}px`, height: `${height}px` }}>
                {row ? (
                  <Line
                    row={row}
                    index={index}
                    selected={index === selected}
                    open={index === opened}
                    columns={columns}
                    words={words}
                    select={() => {
                      if (index === selected) setOpen(!open);
                      else {
                        select(index);
                        setOpen(true);
                      }
                    }}
                  />
                ) : (
                  <div class="lg1" aria-busy="true">
                    <span class="skel" style={{ width: '84px', height: '10px' }} />
                  </div>
                )}
              </div>
            );
          })}
          {opened >= first && opened < last && at(opened) && (
            <Opened top={(opened + 1) * height} measure={setDetail}>
              <LogDetail
                key={at(opened)?.id}
                row={at(opened) as LogRow}
                columns={columns}
                narrow={props.narrow}
                column={(name) => props.setColumns(columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name])}
                toTrace={props.toTrace}
                around={props.around}
              />
            </Opened>
          )}
        </div>
        {props.more && (
          <p class="older sm d3" role="status">
            Reading older lines
          </p>
        )}
      </div>
    </>
  );
}

function Opened({ top, measure, children }: { top: number; measure: (height: number) => void; children: preact.ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const report = () => measure(element.offsetHeight);
    report();
    const observer = new ResizeObserver(report);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="lopen" ref={box} style={{ top: `${top}px` }}>
      {children}
    </div>
  );
}

const QUIET = /^(code\.|exception\.|thread\.|process\.|telemetry\.)/;

/** What Clew adds to a logpoint's line, for itself. */
const OF_CAPTURES = new Set(['capture', 'process']);

/** The fields that say something about this line, not about where it was written. */
function sayingOf({ attr, probe }: LogRow): [string, string][] {
  return Object.entries(attr ?? {})
    .filter(([name]) => !QUIET.test(name) && !(probe && OF_CAPTURES.has(name)))
    .slice(0, 6)
    .map(([name, value]) => [name, safeText(valueText(value)).slice(0, 80)]);
}

/** A structured body in short: its members. */
export function shortText(row: LogRow): string {
  const { body } = row;
  if (body !== null && typeof body === 'object' && !Array.isArray(body)) {
    const message = body['message'] ?? body['msg'];
    const rest = Object.entries(body).filter(([name]) => name !== 'message' && name !== 'msg');
    const members = rest.map(([name, value]) => `${name}=${valueText(value)}`).join(' ');
    return typeof message === 'string' ? `${message} ${members}` : members;
  }
  return logText(row);
}

interface LineProps {
  row: LogRow;
  index: number;
  selected: boolean;
  open: boolean;
  columns: readonly string[];
  words: readonly string[];
  select: () => void;
}

export function Line({ row, index, selected, open, columns, words, select }: LineProps) {
  const { ms } = parseInstant(row.time);
  const service = row.service ?? 'unknown service';
  const level = row.level ?? '';
  const text = safeText(shortText(row).slice(0, 1000)).replace(/\s+/g, ' ');
  return (
    <button
      type="button"
      // Reached with j and k; Tab goes past the list.
      tabIndex={-1}
      id={`line-${index}`}
      class={`lg1 ${selected ? 'sel' : ''} l-${level} ${row.match === false ? 'beside' : ''}`}
      aria-expanded={open}
      style={gridOf(columns)}
      onClick={select}
    >
      <span class="mono d2" title={absolute(ms)}>
        {clock(ms)}
      </span>
      <span class={`mono lv ${level}`}>{level || '–'}</span>
      <span class={`svc h${hueOf(service)} cut`}>{service}</span>
      {columns.map((name) => {
        const value = valueAt(row, name);
        return (
          <span class="mono cut wide" key={name} title={value === undefined ? undefined : valueText(value)}>
            {value === undefined ? <span class="d3">–</span> : safeText(valueText(value)).slice(0, 200)}
          </span>
        );
      })}
      <span class="mono msg">
        {row.probe && <span class="dia h lprobe" role="img" aria-label={`Logpoint ${row.probe}`} title={WRITTEN_BY} />}
        <span class={`lt ${level}`}>{marked(text, words).map((piece, n) => (n % 2 === 1 ? <mark key={n}>{piece}</mark> : piece))}</span>
        {sayingOf(row).map(([name, value]) => (
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
    </button>
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
