// One chart of a page's common time axis: series over buckets, marks, the shared crosshair and box, and its table.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { clock } from '../format/time.ts';
import { hold, live } from '../state/live.ts';
import { setParams } from '../state/route.ts';
import { begin, useSize } from './canvas.ts';
import { brush, crosshair } from './cross.ts';
import { drawPlot, frameOf, type Mark, type Plot, type Series, timeOf, xOf } from './draw-series.ts';
import { palette } from './palette.ts';
import { bucketAt, niceTop, type Span, unfinished } from './scale.ts';

export interface BrushAction {
  label: string;
  run: (span: Span) => void;
}

interface Props {
  title: string;
  /** What the numbers are, after the title: "per minute". */
  unit: string;
  /** Begins of the buckets, ms. */
  times: readonly number[];
  /** Width of a bucket, ms. */
  step: number;
  range: Span;
  series: readonly Series[];
  marks?: readonly Mark[];
  /** Full scale is never less than this: noise looks like noise. */
  floor?: number;
  /** Of the axis, short. */
  tick: (value: number) => string;
  /** Of the readout and the table. */
  format: (value: number) => string;
  /** What a reader of screens hears: the conclusion. */
  says: string;
  /** What a box offers beside Zoom. */
  actions?: readonly BrushAction[];
  /** The table instead of the picture. */
  table?: boolean;
  /** Old data that is about to be replaced. */
  stale?: boolean;
  left?: number;
  /** Nothing is marked in it: the page has no range of time. */
  still?: true;
}

export function TimeChart(props: Props) {
  const { title, unit, times, step, range, series, format, says } = props;
  const id = useId();
  const at = crosshair.value;
  const pointed = at === undefined ? -1 : bucketAt(times, step, at);
  return (
    <figure class={`tchart ${props.stale ? 'stale' : ''}`}>
      <figcaption>
        <span class="m">{title}</span> <span class="d3">{unit}</span>
        {pointed >= 0 && !props.table && (
          <span class="read">
            {clock(times[pointed] as number).slice(0, step < 60_000 ? 8 : 5)}
            {series.map((one) => {
              const value = one.values[pointed];
              return (
                <span key={one.label}>
                  {series.length > 1 && <span class="d3">{one.label} </span>}
                  <b>{value === null || value === undefined ? 'none' : format(value)}</b>
                </span>
              );
            })}
          </span>
        )}
      </figcaption>
      {props.table ? (
        <SeriesTable times={times} step={step} series={series} format={format} open={unfinished(times, step, range.to)} label={title} />
      ) : (
        <Canvas {...props} id={id} says={says} />
      )}
    </figure>
  );
}

function Canvas({
  id,
  title,
  times,
  step,
  range,
  series,
  marks = [],
  floor,
  tick,
  says,
  actions = [],
  left = 40,
  still,
}: Props & { id: string }) {
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<{ a: number; b: number } | undefined>();
  /** Where a range marked by the keys began. */
  const anchor = useRef<number | undefined>(undefined);
  const colours = palette.value;
  const most = Math.max(0, ...series.flatMap((one) => one.values.map((value) => value ?? 0)));
  const frame = frameOf(size, left);
  const plot: Plot = {
    times,
    step,
    range,
    series,
    marks,
    top: niceTop(most, floor),
    open: unfinished(times, step, range.to),
    format: tick,
  };
  useEffect(() => {
    const context = canvas.current && begin(canvas.current, size);
    if (context) drawPlot(context, plot, frame, size, colours);
  }, [times, series, marks, range.from, range.to, size, colours, plot.top]);

  const msAt = (event: PointerEvent) => timeOf(frame, range, event.clientX - (box.current?.getBoundingClientRect().left ?? 0));
  const pointed = crosshair.value === undefined ? -1 : bucketAt(times, step, crosshair.value);
  const mine = brush.value?.chart === id;
  const marked = drag ? { from: Math.min(drag.a, drag.b), to: Math.max(drag.a, drag.b) } : brush.value;
  const select = (from: number, to: number) => {
    live.value = false;
    brush.value = { from: Math.max(range.from, from), to: Math.min(range.to, to), chart: id };
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const index = pointed < 0 ? times.length : pointed;
    const go = (to: number) => {
      const next = Math.max(0, Math.min(times.length - 1, to));
      const at = times[next];
      if (at === undefined) return;
      if (event.shiftKey && !still) {
        anchor.current ??= times[Math.min(index, times.length - 1)] ?? at;
        select(Math.min(anchor.current, at), Math.max(anchor.current, at) + step);
      } else anchor.current = undefined;
      crosshair.value = at + step / 2;
    };
    if (event.key === 'ArrowLeft') go(index - 1);
    else if (event.key === 'ArrowRight') go(pointed < 0 ? 0 : index + 1);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(times.length - 1);
    else if (event.key === 'Enter' && brush.value) zoomTo(brush.value);
    else if (event.key === 'Escape' && (brush.value || crosshair.value !== undefined)) {
      brush.value = undefined;
      crosshair.value = undefined;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const x = (ms: number) => Math.max(frame.left, Math.min(frame.left + frame.width, xOf(frame, range, ms)));
  return (
    <div
      class="plot"
      ref={box}
      tabIndex={0}
      role="group"
      aria-label={`${title}, chart. Arrow keys move through it${still ? '' : ', with Shift they mark a range'}.`}
      onKeyDown={onKeyDown}
      onBlur={() => (crosshair.value = undefined)}
      onPointerDown={(event) => {
        if (still || event.button !== 0 || event.pointerType === 'touch' || (event.target as HTMLElement).closest('button')) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const ms = msAt(event);
        setDrag({ a: ms, b: ms });
      }}
      onPointerMove={(event) => {
        hold();
        crosshair.value = msAt(event);
        if (drag) setDrag({ ...drag, b: msAt(event) });
      }}
      onPointerUp={() => {
        if (drag && Math.abs(xOf(frame, range, drag.a) - xOf(frame, range, drag.b)) > 4)
          select(Math.min(drag.a, drag.b), Math.max(drag.a, drag.b));
        else if (drag) brush.value = undefined;
        setDrag(undefined);
      }}
      onPointerCancel={() => setDrag(undefined)}
      onPointerLeave={() => {
        if (!drag) crosshair.value = undefined;
      }}
      onDblClick={() => (brush.value = undefined)}
    >
      <canvas ref={canvas} role="img" aria-label={says} />
      {pointed >= 0 && (
        <span
          class="cross"
          style={{ left: `${x((times[pointed] as number) + step / 2)}px`, top: `${frame.top}px`, height: `${frame.height}px` }}
        />
      )}
      {marked && marked.to > range.from && marked.from < range.to && (
        <span
          class="picked"
          style={{
            left: `${x(marked.from)}px`,
            width: `${x(marked.to) - x(marked.from)}px`,
            top: `${frame.top}px`,
            height: `${frame.height}px`,
          }}
        >
          {mine && !drag && <BrushBar span={marked} flip={x(marked.from) > frame.left + frame.width / 2} actions={actions} />}
        </span>
      )}
    </div>
  );
}

function zoomTo(span: Span): void {
  brush.value = undefined;
  setParams({ from: String(Math.round(span.from)), to: String(Math.round(span.to)) });
}

function BrushBar({ span, flip, actions }: { span: Span; flip: boolean; actions: readonly BrushAction[] }) {
  const button = (label: ComponentChildren, run: () => void) => (
    <button
      type="button"
      onClick={(event) => {
        event.stopPropagation();
        run();
      }}
    >
      {label}
    </button>
  );
  return (
    <span class={`brushbar pop ${flip ? 'flip' : ''}`}>
      <span class="d3 nw">
        {clock(span.from).slice(0, 8)} to {clock(span.to).slice(0, 8)}
      </span>
      {button('Zoom', () => zoomTo(span))}
      {actions.map((action) => button(action.label, () => action.run(span)))}
      {button('Clear', () => (brush.value = undefined))}
    </span>
  );
}

interface TableProps {
  label: string;
  times: readonly number[];
  step: number;
  series: readonly Series[];
  format: (value: number) => string;
  open: number;
}

/** The same numbers as rows, the newest first. */
export function SeriesTable({ label, times, step, series, format, open }: TableProps) {
  const rows = times.map((at, index) => ({ at, index })).reverse();
  return (
    <div class="stable scroll" tabIndex={0} role="region" aria-label={`${label} as a table`}>
      <table>
        <thead>
          <tr class="th">
            <th scope="col">Begin</th>
            {series.map((one) => (
              <th scope="col" class="r" key={one.label}>
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, index }) => (
            <tr key={at}>
              <td class="mono">
                {clock(at).slice(0, step < 60_000 ? 8 : 5)}
                {index === open && <span class="d3"> so far</span>}
              </td>
              {series.map((one) => {
                const value = one.values[index];
                return (
                  <td class="r" key={one.label}>
                    {value === null || value === undefined ? <span class="d3">none</span> : format(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
