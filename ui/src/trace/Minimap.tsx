// The whole trace in fifty pixels: every span at least one of them, errors over it at full height, the part in view framed.
import { useEffect, useRef } from 'preact/hooks';
import { begin, useSize } from '../charts/canvas.ts';
import { palette } from '../charts/palette.ts';
import { plural } from '../format/number.ts';
import { hueOf } from '../state/services.ts';
import { ownerOf, type SpanNode, type TraceModel } from './model.ts';
import { fit, isFit, pan, range, type Viewport } from './viewport.ts';

interface Props {
  model: TraceModel;
  view: Viewport;
  setView: (view: Viewport) => void;
}

export function Minimap({ model, view, setView }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = palette.value;
  // A trace of a moment has the least width that can be seen, as in the waterfall.
  const total = fit(model.duration).to;
  useEffect(() => {
    const g = canvas.current && begin(canvas.current, size);
    if (!g) return;
    const depths = depthsOf(model.spans);
    let deepest = 1;
    for (const depth of depths.values()) deepest = Math.max(deepest, depth);
    const lane = Math.min(6, (size.height - 14) / (deepest + 1));
    for (const span of model.spans) {
      const depth = depths.get(span) ?? 0;
      g.fillStyle = span.peer?.kind === 'service' ? colours.is['text-3'] : (colours.service[hueOf(ownerOf(span)) - 1] ?? '');
      const x = (span.start / total) * size.width;
      g.fillRect(x, 7 + depth * lane, Math.max(1, (Math.max(0, span.duration) / total) * size.width), Math.max(1, lane - 2.5));
    }
    g.fillStyle = colours.is['error-mark'];
    const errorAt = (at: number) => g.fillRect(Math.min(size.width - 1.5, (at / total) * size.width - 0.75), 5, 1.5, size.height - 12);
    for (const span of model.spans) if (span.error) errorAt(span.start + Math.max(0, span.duration));
    for (const event of model.events) if (event.error) errorAt(event.start);
    g.fillStyle = colours.is.live;
    for (const { start, parent } of model.snapshots) {
      const x = Math.min(size.width - 4, Math.max(4, (start / total) * size.width));
      const y = 7 + (parent?.type === 'span' ? (depths.get(parent) ?? 0) : 0) * lane + Math.max(1, lane - 2.5) / 2;
      g.beginPath();
      g.moveTo(x, y - 4);
      g.lineTo(x + 4, y);
      g.lineTo(x, y + 4);
      g.lineTo(x - 4, y);
      g.fill();
    }
  }, [model, size, colours]);
  const x = (ns: number) => (ns / total) * size.width;
  const ns = (px: number) => (px / Math.max(1, size.width)) * total;
  const drag = useRef<{ from: number; view: Viewport; mode: 'new' | 'move' } | undefined>(undefined);
  const at = (event: PointerEvent) => Math.max(0, Math.min(size.width, event.clientX - (box.current?.getBoundingClientRect().left ?? 0)));
  return (
    <div
      class="mini"
      ref={box}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const px = at(event);
        const inside = !isFit(view, total) && px > x(view.from) && px < x(view.to);
        drag.current = { from: px, view, mode: inside ? 'move' : 'new' };
      }}
      onPointerMove={(event) => {
        const held = drag.current;
        if (!held) return;
        const px = at(event);
        if (held.mode === 'move') setView(pan(held.view, ns(px - held.from), total));
        else if (Math.abs(px - held.from) > 3) setView(range(ns(held.from), ns(px), total));
      }}
      onPointerUp={() => {
        drag.current = undefined;
      }}
      onDblClick={() => setView({ from: 0, to: total })}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Overview of ${plural(model.spans.length, 'span')}, ${model.errors} of them with errors`}
      />
      <span class="frame" style={{ left: `${x(view.from) - 1}px`, width: `${Math.max(3, x(view.to) - x(view.from)) + 2}px` }} />
    </div>
  );
}

function depthsOf(spans: SpanNode[]): Map<SpanNode, number> {
  const depths = new Map<SpanNode, number>();
  for (const span of spans) {
    const parent = span.parent?.type === 'missing' ? span.parent.parent : span.parent;
    depths.set(span, parent ? (depths.get(parent) ?? 0) + 1 : 0);
  }
  return depths;
}
