// The canvas with the rows, and everything a pointer can do to it. Scrolling is the browser's own: the canvas stands still
// over a spacer of the full height and is painted anew.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { begin, type Size, useSize } from '../charts/canvas.ts';
import { palette } from '../charts/palette.ts';
import { duration } from '../format/number.ts';
import { firstValues, placeText, strayText } from './captured.ts';
import type { Segment } from './critical.ts';
import { type Columns, chevronX, drawScene, nsAt, RIGHT, type Scene, timelineLeft } from './draw.ts';
import type { SnapshotNode, SpanNode } from './model.ts';
import { detailOf, type Row } from './rows.ts';
import { forgetWidths } from './text.ts';
import { type Fingers, pan, pinch, type Viewport, zoom } from './viewport.ts';

/** Fingers closer than this, in pixels, are as far apart as this. */
const LEAST_GAP = 24;

interface Props {
  rows: Row[];
  total: number;
  view: Viewport;
  setView: (view: Viewport) => void;
  columns: Columns;
  rowHeight: number;
  selected: number;
  critical: Map<SpanNode, Segment[]> | undefined;
  snapshots: readonly SnapshotNode[];
  select: (index: number) => void;
  toggle: (index: number) => void;
  zoomTo: (index: number) => void;
  onSize: (size: Size) => void;
  label: string;
}

export function Waterfall(props: Props) {
  const { rows, columns, rowHeight, selected, view, total } = props;
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const hover = useRef(-1);
  const pending = useRef(0);
  const colours = palette.value;
  const scene = (): Scene => ({
    rows,
    scrollTop: box.current?.scrollTop ?? 0,
    rowHeight,
    size,
    columns,
    view,
    selected,
    hover: hover.current,
    critical: props.critical,
    snapshots: props.snapshots,
    colours,
  });
  const paint = () => {
    pending.current = 0;
    const context = canvas.current && begin(canvas.current, size);
    if (context) drawScene(context, scene());
  };
  const latest = useRef(paint);
  latest.current = paint;
  const soon = () => {
    if (!pending.current) pending.current = requestAnimationFrame(() => latest.current());
  };
  useLayoutEffect(paint);
  useLayoutEffect(() => props.onSize(size), [size]);
  useEffect(() => {
    void document.fonts.ready.then(() => {
      forgetWidths();
      latest.current();
    });
    return () => cancelAnimationFrame(pending.current);
  }, []);

  // The selected row is always in sight.
  useEffect(() => {
    const element = box.current;
    if (!element || selected < 0) return;
    const top = selected * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top - rowHeight;
    else if (top + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = top + 2 * rowHeight - element.clientHeight;
  }, [selected, rowHeight]);

  // Wheel with Ctrl or a pinch zooms at the pointer, sideways pans: listened to by hand because it must be able to say no to the browser.
  const wheel = useRef((_event: WheelEvent) => {});
  wheel.current = (event) => {
    const rect = box.current?.getBoundingClientRect();
    if (!rect) return;
    const x = event.clientX - rect.left;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      props.setView(zoom(view, Math.exp(event.deltaY * 0.004), nsAt(Math.max(x, timelineLeft(columns)), scene()), total));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const by = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      props.setView(pan(view, (by / (size.width - timelineLeft(columns))) * (view.to - view.from), total));
    }
  };
  useEffect(() => {
    const element = box.current;
    const listener = (event: WheelEvent) => wheel.current(event);
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, []);

  // Two fingers zoom and pan; one scrolls down and up, which is the browser's.
  const touches = useRef(new Map<number, number>());
  const fingers = useRef<{ began: Fingers; view: Viewport } | undefined>(undefined);
  const fingersNow = (): Fingers => {
    const [a = 0, b = 0] = [...touches.current.values()];
    const left = timelineLeft(columns);
    const width = Math.max(1, size.width - left - RIGHT);
    const from = (box.current?.getBoundingClientRect().left ?? 0) + left;
    return { gap: Math.max(LEAST_GAP, Math.abs(a - b)) / width, middle: Math.min(1, Math.max(0, ((a + b) / 2 - from) / width)) };
  };
  const lift = (event: PointerEvent) => {
    touches.current.delete(event.pointerId);
    // The last finger of a pinch chooses no row.
    const pinched = !!fingers.current;
    if (touches.current.size === 0) fingers.current = undefined;
    return pinched;
  };
  const drag = useRef<{ x: number; view: Viewport; moved: boolean } | undefined>(undefined);
  const at = (event: MouseEvent) => {
    const rect = (box.current as HTMLElement).getBoundingClientRect();
    const x = event.clientX - rect.left;
    const y = event.clientY - rect.top + (box.current?.scrollTop ?? 0);
    const index = Math.floor(y / rowHeight);
    return { x, index: index < rows.length ? index : -1 };
  };
  const isChevron = (x: number, row: Row | undefined) => {
    if (!row || row.open === undefined) return false;
    const left = chevronX(row.depth, columns);
    return x >= left - 4 && x < left + 16;
  };
  return (
    <div
      class="wf scroll"
      ref={box}
      tabIndex={0}
      role="group"
      aria-roledescription="waterfall"
      aria-label={props.label}
      onScroll={soon}
      onPointerDown={(event) => {
        const { x } = at(event);
        if (event.pointerType === 'touch') touches.current.set(event.pointerId, event.clientX);
        if (touches.current.size === 2) {
          drag.current = undefined;
          fingers.current = { began: fingersNow(), view };
          return;
        }
        if (event.button === 0 && x > timelineLeft(columns)) drag.current = { x: event.clientX, view, moved: false };
      }}
      onPointerMove={(event) => {
        if (touches.current.has(event.pointerId)) touches.current.set(event.pointerId, event.clientX);
        if (fingers.current) {
          if (touches.current.size === 2) props.setView(pinch(fingers.current.view, fingers.current.began, fingersNow(), total));
          return;
        }
        const { x, index } = at(event);
        const held = drag.current;
        if (held && (held.moved || Math.abs(event.clientX - held.x) > 4)) {
          if (!held.moved) (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
          held.moved = true;
          const width = size.width - timelineLeft(columns);
          props.setView(pan(held.view, ((held.x - event.clientX) / width) * (held.view.to - held.view.from), total));
          return;
        }
        const row = rows[index];
        if (canvas.current) {
          canvas.current.title = row ? titleOf(row) : '';
          canvas.current.style.cursor = isChevron(x, row) ? 'pointer' : 'default';
        }
        if (hover.current !== index) {
          hover.current = index;
          soon();
        }
      }}
      onPointerLeave={() => {
        hover.current = -1;
        soon();
      }}
      onPointerUp={(event) => {
        const held = drag.current;
        drag.current = undefined;
        if (lift(event) || held?.moved || event.button !== 0) return;
        const { x, index } = at(event);
        if (index < 0) return;
        if (isChevron(x, rows[index])) props.toggle(index);
        else props.select(index);
      }}
      onPointerCancel={(event) => {
        lift(event);
        drag.current = undefined;
      }}
      onDblClick={(event) => {
        const { x, index } = at(event);
        if (index >= 0 && x > timelineLeft(columns)) props.zoomTo(index);
      }}
    >
      <canvas ref={canvas} aria-hidden="true" style={{ height: `${size.height}px` }} />
      <div style={{ height: `${Math.max(0, rows.length * rowHeight + 4 - size.height)}px` }} />
    </div>
  );
}

/** The whole of what may have been cut. */
function titleOf({ node }: Row): string {
  if (node.type === 'log') return node.text.slice(0, 1000);
  if (node.type === 'event') return `${node.title.slice(0, 1000)}\n${node.service}, at ${duration(node.start)}`;
  if (node.type === 'snapshot') {
    const values = firstValues(node.row, 6).map(([name, value]) => `${name} = ${value}`);
    const stray = strayText(node);
    return [`Snapshot at ${placeText(node.row)}, at ${duration(node.start)}`, ...(stray ? [stray] : []), ...values].join('\n');
  }
  if (node.type === 'missing') return `Span ${node.id} never arrived`;
  const span = node.type === 'repeat' ? node.spans[0] : node;
  if (!span) return '';
  const detail = detailOf(span);
  return `${span.name}${detail ? ` ${detail}` : ''}\n${span.service}, ${duration(node.duration)}`;
}
