// Rows over time: volume neutral, warnings amber and errors red on the same bar. Drag marks a range, its bar zooms to it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { count, plural } from '../format/number.ts';
import { clock, timeTicks } from '../format/time.ts';
import { begin, useSize } from './canvas.ts';
import type { Mark } from './draw-series.ts';
import { palette } from './palette.ts';
import { placeMarks } from './scale.ts';

export interface Bucket {
  at: number;
  rows: number;
  errors: number;
  warnings: number;
}

interface Props {
  buckets: Bucket[];
  step: number;
  range: { from: number; to: number };
  noun: string;
  marks: readonly Mark[];
  onRange: (from: number, to: number) => void;
}

const LEFT = 50;
const AXIS = 20;
const TOP = 10;

function niceTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [1, 2, 4, 5, 10].map((n) => n * power).find((n) => n >= most) ?? most;
}

export function Histogram({ buckets, step, range, noun, marks, onRange }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<number | undefined>();
  const [drag, setDrag] = useState<{ a: number; b: number } | undefined>();
  const [brushed, setBrushed] = useState<{ from: number; to: number } | undefined>();
  const colours = palette.value;
  const width = size.width - LEFT;
  const height = size.height - AXIS - TOP;
  const most = niceTop(Math.max(2, ...buckets.map((bucket) => bucket.rows)));
  const x = (ms: number) => LEFT + ((ms - range.from) / (range.to - range.from)) * width;
  useEffect(() => {
    const g = canvas.current && begin(canvas.current, size);
    if (!g) return;
    g.font = `11px ${colours.font}`;
    g.textBaseline = 'middle';
    for (const share of [0, 0.5, 1]) {
      const y = Math.round(TOP + height * (1 - share));
      g.fillStyle = colours.is.line;
      g.fillRect(LEFT, y, width, 1);
      g.fillStyle = colours.is['text-3'];
      g.textAlign = 'right';
      g.fillText(count(most * share), LEFT - 8, y);
    }
    for (const bucket of buckets) {
      const left = Math.max(LEFT, x(bucket.at));
      const w = Math.max(1, x(bucket.at + step) - left - 1);
      const all = (bucket.rows / most) * height;
      const bad = bucket.errors > 0 ? Math.max(1.5, (bucket.errors / most) * height) : 0;
      const warn = bucket.warnings > 0 ? Math.max(1.5, (bucket.warnings / most) * height) : 0;
      const base = TOP + height;
      g.fillStyle = colours.is['error-mark'];
      g.fillRect(left, base - all, w, bad);
      g.fillStyle = colours.is['warn-mark'];
      g.fillRect(left, base - all + bad, w, warn);
      g.fillStyle = colours.is.vol;
      g.fillRect(left, base - Math.max(0, all - bad - warn), w, Math.max(0, all - bad - warn));
    }
    const placed = placeMarks(
      marks.filter((mark) => x(mark.at) >= LEFT && x(mark.at) <= size.width),
      (mark) => x(mark.at),
      (mark) => g.measureText(mark.label).width,
      (mark) => Number(mark.bad ?? false),
      LEFT,
      size.width,
    );
    for (const { mark, x: at, label } of placed) {
      g.fillStyle = mark.bad ? colours.is.error : colours.is['text-2'];
      g.fillRect(Math.round(at), TOP - 8, 1, height + 8);
      if (!label) continue;
      g.textAlign = label.align;
      const wide = g.measureText(mark.label).width + 4;
      g.fillStyle = colours.is.surface;
      g.fillRect(label.align === 'right' ? label.x - wide + 2 : label.x - 2, TOP - 8, wide, 13);
      g.fillStyle = mark.bad ? colours.is.error : colours.is['text-2'];
      g.fillText(mark.label, label.x, TOP - 1);
    }
    g.fillStyle = colours.is['text-3'];
    g.textAlign = 'center';
    for (const tick of timeTicks(range.from, range.to, Math.max(2, Math.floor(width / 110)))) {
      const at = x(tick.at);
      if (at > LEFT + 20 && at < size.width - 20) g.fillText(tick.label, at, size.height - 8);
    }
  }, [buckets, step, range.from, range.to, size, colours, most, marks]);
  const where = (event: PointerEvent) =>
    Math.max(LEFT, Math.min(size.width, event.clientX - (box.current?.getBoundingClientRect().left ?? 0)));
  const msAt = (px: number) => range.from + ((px - LEFT) / width) * (range.to - range.from);
  const pointed = hover === undefined ? undefined : buckets.find((bucket) => msAt(hover) >= bucket.at && msAt(hover) < bucket.at + step);
  const rows = buckets.reduce((sum, bucket) => sum + bucket.rows, 0);
  const errors = buckets.reduce((sum, bucket) => sum + bucket.errors, 0);
  return (
    <div
      class="histogram"
      ref={box}
      onPointerDown={(event) => {
        if (event.button !== 0 || (event.target as HTMLElement).closest('button')) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ a: where(event), b: where(event) });
      }}
      onPointerMove={(event) => {
        setHover(where(event));
        if (drag) setDrag({ ...drag, b: where(event) });
      }}
      onPointerLeave={() => setHover(undefined)}
      onPointerUp={() => {
        if (drag && Math.abs(drag.a - drag.b) > 4) setBrushed({ from: msAt(Math.min(drag.a, drag.b)), to: msAt(Math.max(drag.a, drag.b)) });
        else if (drag) setBrushed(undefined);
        setDrag(undefined);
      }}
      onPointerCancel={() => setDrag(undefined)}
    >
      <canvas ref={canvas} role="img" aria-label={`${plural(rows, noun)} in this range, ${count(errors)} of them errors`} />
      {drag && (
        <span
          class="picked"
          style={{ left: `${Math.min(drag.a, drag.b)}px`, width: `${Math.abs(drag.a - drag.b)}px`, top: `${TOP}px`, height: `${height}px` }}
        />
      )}
      {brushed && !drag && brushed.to > range.from && (
        <span
          class="picked"
          style={{
            left: `${Math.max(LEFT, x(brushed.from))}px`,
            width: `${Math.max(2, x(brushed.to) - Math.max(LEFT, x(brushed.from)))}px`,
            top: `${TOP}px`,
            height: `${height}px`,
          }}
        >
          <span class={`tag inside ${x(brushed.from) > LEFT + width / 2 ? 'toright' : ''}`}>
            {clock(brushed.from).slice(0, 8)} to {clock(brushed.to).slice(0, 8)}
            <button
              type="button"
              class="act"
              onClick={() => {
                setBrushed(undefined);
                onRange(brushed.from, brushed.to);
              }}
            >
              Zoom
            </button>
            <button type="button" aria-label="Clear the selection" onClick={() => setBrushed(undefined)}>
              ×
            </button>
          </span>
        </span>
      )}
      {pointed && !drag && (
        <span class="readout pop sm" style={{ left: `${Math.min(hover ?? 0, size.width - 180) + 12}px`, top: '0' }}>
          {clock(pointed.at).slice(0, 8)}: {plural(pointed.rows, noun)}
          {pointed.warnings > 0 && <span class="wrn">, {plural(pointed.warnings, 'warning')}</span>}
          {pointed.errors > 0 && <span class="err">, {plural(pointed.errors, 'error')}</span>}
        </span>
      )}
    </div>
  );
}
