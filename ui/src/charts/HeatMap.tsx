// Durations over time as a density: log y, neutral ramp, accent ramp inside the selection, a lane of errors under it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { count, duration, plural } from '../format/number.ts';
import { clock, timeTicks } from '../format/time.ts';
import { begin, type Size, useSize } from './canvas.ts';
import type { Mark } from './draw-series.ts';
import { CELLS_A_DECADE, durationOf, type Heat, heatTable, type Pick, rowOf } from './heat.ts';
import { type Palette, palette } from './palette.ts';
import { placeMarks } from './scale.ts';

const LEFT = 50;
const TOP = 8;
const ERRORS = 18;
const AXIS = 22;

interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  cellW: number;
  cellH: number;
}

function frameOf(heat: Heat, size: Size): Frame {
  const width = size.width - LEFT;
  const height = size.height - TOP - ERRORS - AXIS - 8;
  return { left: LEFT, top: TOP, width, height, cellW: width / heat.columns, cellH: height / (heat.high - heat.low) };
}

interface Props {
  heat: Heat;
  range: { from: number; to: number };
  pick: Pick | undefined;
  onPick: (pick: Pick | undefined) => void;
  stale: boolean;
  marks: readonly Mark[];
  /** What a box offers. */
  actions: readonly { label: string; run: () => void }[];
}

interface Cursor {
  column: number;
  row: number;
  /** Where a box made with Shift began. */
  anchor?: { column: number; row: number };
}

export function HeatMap({ heat, range, pick, onPick, stale, marks, actions }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ x: number; y: number } | undefined>();
  const [drag, setDrag] = useState<{ x0: number; y0: number; x1: number; y1: number } | undefined>();
  const [cursor, setCursor] = useState<Cursor | undefined>();
  const frame = frameOf(heat, size);
  const colours = palette.value;
  const draft = drag && Math.hypot(drag.x1 - drag.x0, drag.y1 - drag.y0) > 4 ? pickOf(drag, heat, frame, range) : undefined;
  const shown = draft ?? pick;
  useEffect(() => {
    const context = canvas.current && begin(canvas.current, size);
    if (!context) return;
    draw(context, heat, range, frame, size, colours, shown);
    drawMarks(context, marks, heat, frame, colours);
  }, [heat, range.from, range.to, size, colours, marks, shown?.from, shown?.to, shown?.least, shown?.most]);

  const where = (event: PointerEvent) => {
    const rect = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return { x: event.clientX - rect.left, y: event.clientY - rect.top };
  };
  const inside = shown ? countInside(heat, shown) : 0;
  const middleOf = ({ column, row }: { column: number; row: number }) => ({
    x: frame.left + (column + 0.5) * frame.cellW,
    y: frame.top + frame.height - (row - heat.low + 0.5) * frame.cellH,
  });
  const pointed = hover ?? (cursor && middleOf(cursor));
  const cell = pointed && !drag ? cellAt(pointed, heat, frame) : undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest('button')) return;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    setHover(undefined);
    const old = cursor ?? { column: heat.columns - 1, row: rowOf(heat.middle[1]) };
    const next: Cursor = {
      column: Math.max(0, Math.min(heat.columns - 1, old.column + (cursor ? (by[0] ?? 0) : 0))),
      row: Math.max(heat.low, Math.min(heat.high - 1, old.row + (cursor ? (by[1] ?? 0) : 0))),
    };
    if (event.shiftKey) {
      next.anchor = old.anchor ?? { column: old.column, row: old.row };
      const a = middleOf(next.anchor);
      const b = middleOf(next);
      onPick(pickOf({ x0: a.x, y0: a.y, x1: b.x, y1: b.y }, heat, frame, range));
    }
    setCursor(next);
  };
  return (
    <div
      class={`heat ${stale ? 'stale' : ''}`}
      ref={box}
      tabIndex={0}
      role="group"
      aria-label="Durations over time. Arrow keys move through it, with Shift they select a box."
      onKeyDown={onKeyDown}
      onBlur={() => setCursor(undefined)}
      onPointerDown={(event) => {
        const at = where(event);
        if (event.button !== 0 || at.x < LEFT || at.y > frame.top + frame.height || (event.target as HTMLElement).closest('button')) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ x0: at.x, y0: at.y, x1: at.x, y1: at.y });
      }}
      onPointerMove={(event) => {
        const at = where(event);
        setHover(at);
        if (drag) setDrag({ ...drag, x1: at.x, y1: at.y });
      }}
      onPointerUp={() => {
        if (draft) onPick(draft);
        else if (drag && pick) onPick(undefined);
        setDrag(undefined);
      }}
      onPointerCancel={() => setDrag(undefined)}
      onPointerLeave={() => setHover(undefined)}
      onDblClick={() => onPick(undefined)}
    >
      <canvas ref={canvas} role="img" aria-label={conclusion(heat)} />
      {shown && (
        <Selection
          pick={shown}
          heat={heat}
          frame={frame}
          inside={inside}
          actions={actions}
          clear={draft ? undefined : () => onPick(undefined)}
        />
      )}
      {cursor && !hover && (
        <span
          class="cellmark"
          style={{
            left: `${frame.left + cursor.column * frame.cellW - 1}px`,
            top: `${frame.top + frame.height - (cursor.row - heat.low + 1) * frame.cellH - 1}px`,
            width: `${frame.cellW + 1}px`,
            height: `${frame.cellH + 1}px`,
          }}
        />
      )}
      {cell && (
        <span
          class="readout pop sm"
          role="status"
          style={{ left: `${Math.min(pointed?.x ?? 0, size.width - 210) + 12}px`, top: `${Math.max(0, (pointed?.y ?? 0) - 34)}px` }}
        >
          {cell}
        </span>
      )}
    </div>
  );
}

function conclusion(heat: Heat): string {
  if (heat.total === 0) return 'No spans in this range.';
  const [low, high] = heat.middle;
  return `${plural(heat.total, 'span')}, most between ${duration(low)} and ${duration(high)}, ${count(heat.bad)} with errors.`;
}

function Selection({
  pick,
  heat,
  frame,
  inside,
  actions,
  clear,
}: {
  pick: Pick;
  heat: Heat;
  frame: Frame;
  inside: number;
  actions: Props['actions'];
  clear: (() => void) | undefined;
}) {
  const x = (ms: number) => frame.left + ((ms - heat.begin) / heat.step) * frame.cellW;
  const y = (ns: number) => frame.top + frame.height - (rowOf(ns) - heat.low) * frame.cellH;
  const left = Math.max(frame.left, x(pick.from));
  const right = Math.min(frame.left + frame.width, x(pick.to));
  const top = Math.max(frame.top, y(pick.most));
  const bottom = Math.min(frame.top + frame.height, y(pick.least));
  if (right <= left || bottom <= top) return null;
  const flip = top < 30;
  return (
    <div
      class="picked"
      style={{ left: `${left - 2}px`, width: `${right - left + 2}px`, top: `${top - 2}px`, height: `${bottom - top + 3}px` }}
    >
      <span class={`tag ${flip ? 'below' : ''} ${left > frame.left + frame.width * 0.5 ? 'toright' : ''}`}>
        {plural(inside, 'span')}, {clock(pick.from).slice(0, 8)} to {clock(pick.to).slice(0, 8)}, {duration(pick.least)} to{' '}
        {duration(pick.most)}
        {clear &&
          actions.map((action) => (
            <button type="button" class="act" key={action.label} onClick={action.run}>
              {action.label}
            </button>
          ))}
        {clear && (
          <button type="button" aria-label="Clear the selection" title="Clear (Esc)" onClick={clear}>
            ×
          </button>
        )}
      </span>
    </div>
  );
}

function countInside(heat: Heat, pick: Pick): number {
  let n = 0;
  const low = rowOf(pick.least);
  const high = rowOf(pick.most);
  for (const cell of heat.cells) {
    const at = heat.begin + cell.column * heat.step;
    if (at + heat.step > pick.from && at < pick.to && cell.row >= low && cell.row < high) n += cell.n;
  }
  return n;
}

function pickOf(
  drag: { x0: number; y0: number; x1: number; y1: number },
  heat: Heat,
  frame: Frame,
  range: { from: number; to: number },
): Pick {
  const column = (x: number) => Math.min(heat.columns - 1, Math.max(0, Math.floor((x - frame.left) / frame.cellW)));
  const row = (y: number) =>
    Math.min(heat.high - 1, Math.max(heat.low, heat.low + Math.floor((frame.top + frame.height - y) / frame.cellH)));
  const c = [column(drag.x0), column(drag.x1)].sort((a, b) => a - b) as [number, number];
  const r = [row(drag.y0), row(drag.y1)].sort((a, b) => a - b) as [number, number];
  return {
    from: Math.max(range.from, heat.begin + c[0] * heat.step),
    to: Math.min(range.to, heat.begin + (c[1] + 1) * heat.step),
    least: r[0] <= 0 ? 0 : durationOf(r[0]),
    most: durationOf(r[1] + 1),
  };
}

function cellAt(at: { x: number; y: number }, heat: Heat, frame: Frame): string | undefined {
  if (at.x < frame.left || at.y < frame.top) return undefined;
  const column = Math.floor((at.x - frame.left) / frame.cellW);
  if (column >= heat.columns) return undefined;
  const time = clock(heat.begin + column * heat.step).slice(0, 8);
  if (at.y > frame.top + frame.height) return `${time}: ${plural(heat.errors[column] ?? 0, 'error')}`;
  const row = heat.low + Math.floor((frame.top + frame.height - at.y) / frame.cellH);
  const cell = heat.cells.find((c) => c.column === column && c.row === row);
  return cell ? `${time}, ${duration(durationOf(row))} to ${duration(durationOf(row + 1))}: ${plural(cell.n, 'span')}` : undefined;
}

function draw(
  g: CanvasRenderingContext2D,
  heat: Heat,
  range: { from: number; to: number },
  frame: Frame,
  size: Size,
  colours: Palette,
  pick: Pick | undefined,
): void {
  const { left, top, width, height, cellW, cellH } = frame;
  const bottom = top + height;
  g.font = `11px ${colours.font}`;
  g.textBaseline = 'middle';
  const line = (y: number) => {
    g.fillStyle = colours.is.line;
    g.fillRect(left, Math.round(y), width, 1);
  };
  for (let row = heat.low; row <= heat.high; row += CELLS_A_DECADE) {
    const y = bottom - (row - heat.low) * cellH;
    line(y);
    g.fillStyle = colours.is['text-3'];
    g.textAlign = 'right';
    g.fillText(decadeLabel(row), left - 8, row === heat.high ? y + 6 : y);
  }
  const low = pick && rowOf(pick.least);
  const high = pick && rowOf(pick.most);
  const gap = cellW > 4 ? 1 : 0;
  for (const cell of heat.cells) {
    const at = heat.begin + cell.column * heat.step;
    const within = pick && at + heat.step > pick.from && at < pick.to && cell.row >= (low ?? 0) && cell.row < (high ?? 0);
    const ramp = within ? colours.pick : colours.heat;
    const step = Math.min(ramp.length - 1, Math.floor((Math.log2(cell.n + 1) / Math.log2(Math.max(heat.most, 3) + 1)) * ramp.length));
    g.fillStyle = ramp[step] ?? '';
    g.fillRect(
      left + cell.column * cellW,
      bottom - (cell.row - heat.low + 1) * cellH,
      Math.max(1.5, cellW - gap),
      Math.max(1.5, cellH - 1),
    );
  }
  const lane = bottom + 8 + ERRORS;
  const worst = Math.max(4, ...heat.errors);
  g.fillStyle = colours.is['text-3'];
  g.textAlign = 'right';
  g.fillText('errors', left - 8, lane - 7);
  g.fillStyle = colours.is['error-mark'];
  heat.errors.forEach((n, column) => {
    if (n > 0) {
      const h = Math.max(2, (ERRORS * n) / worst);
      g.fillRect(left + column * cellW, lane - h, Math.max(1.5, cellW - gap), h);
    }
  });
  line(lane);
  g.fillStyle = colours.is['text-3'];
  g.textAlign = 'center';
  for (const tick of timeTicks(range.from, range.to, Math.max(2, Math.floor(width / 110)))) {
    const x = left + ((tick.at - heat.begin) / heat.step) * cellW;
    if (x > left + 20 && x < size.width - 20) g.fillText(tick.label, x, size.height - 8);
  }
}

/** Moments such as deploys: a dashed line; red and solid when something got worse. */
function drawMarks(g: CanvasRenderingContext2D, marks: readonly Mark[], heat: Heat, frame: Frame, colours: Palette): void {
  const right = frame.left + frame.width;
  const x = (mark: Mark) => frame.left + ((mark.at - heat.begin) / heat.step) * frame.cellW;
  const shown = marks.filter((mark) => x(mark) >= frame.left && x(mark) <= right);
  for (const placed of placeMarks(
    shown,
    x,
    (mark) => g.measureText(mark.label).width,
    (mark) => Number(mark.bad ?? false),
    frame.left,
    right,
  )) {
    g.strokeStyle = placed.mark.bad ? colours.is['error-mark'] : colours.is['text-3'];
    g.setLineDash(placed.mark.bad ? [] : [3, 3]);
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(Math.round(placed.x) + 0.5, frame.top);
    g.lineTo(Math.round(placed.x) + 0.5, frame.top + frame.height + 8 + ERRORS);
    g.stroke();
    g.setLineDash([]);
    if (!placed.label) continue;
    g.textAlign = placed.label.align;
    const wide = g.measureText(placed.mark.label).width + 4;
    g.fillStyle = colours.is.surface;
    g.fillRect(placed.label.align === 'right' ? placed.label.x - wide + 2 : placed.label.x - 2, frame.top, wide, 13);
    g.fillStyle = placed.mark.bad ? colours.is.error : colours.is['text-2'];
    g.fillText(placed.mark.label, placed.label.x, frame.top + 7);
  }
}

/** The same as numbers. */
export function HeatTable({ heat }: { heat: Heat }) {
  return (
    <div class="heat heattable scroll" tabIndex={0} role="region" aria-label="Durations as a table">
      <table>
        <thead>
          <tr class="th">
            <th scope="col">From</th>
            <th scope="col" class="r">
              Spans
            </th>
            <th scope="col" class="r">
              Errors
            </th>
            <th scope="col" class="r">
              Half took up to
            </th>
            <th scope="col" class="r">
              Slowest
            </th>
          </tr>
        </thead>
        <tbody>
          {heatTable(heat).map((row) => (
            <tr key={row.at}>
              <th scope="row" class="mono">
                {clock(row.at).slice(0, 8)}
              </th>
              <td class="r">{count(row.n)}</td>
              <td class={`r ${row.errors > 0 ? 'err' : 'd3'}`}>{count(row.errors)}</td>
              <td class="r">{duration(row.half)}</td>
              <td class="r">{duration(row.slowest)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function decadeLabel(row: number): string {
  const ns = 1000 * 10 ** (row / CELLS_A_DECADE);
  if (ns < 1e6) return `${Math.round(ns / 1e3)}\u202fµs`;
  if (ns < 1e9) return `${Math.round(ns / 1e6)}\u202fms`;
  return `${Math.round(ns / 1e9)}\u202fs`;
}
