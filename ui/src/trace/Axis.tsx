// The axis over the time line: drag on it to look closer.
import { useRef, useState } from 'preact/hooks';
import type { Size } from '../charts/canvas.ts';
import { type Columns, nsAt, RIGHT, ticksOf, timelineLeft } from './draw.ts';
import { range, type Viewport } from './viewport.ts';

interface Props {
  columns: Columns;
  size: Size;
  view: Viewport;
  setView: (view: Viewport) => void;
  total: number;
}

export function Axis({ columns, size, view, setView, total }: Props) {
  const scene = { columns, size, view };
  const left = timelineLeft(columns);
  const width = Math.max(0, size.width - left - RIGHT);
  const [drag, setDrag] = useState<{ a: number; b: number } | undefined>();
  const box = useRef<HTMLDivElement>(null);
  const x = (event: PointerEvent) => Math.max(0, Math.min(width, event.clientX - (box.current?.getBoundingClientRect().left ?? 0)));
  return (
    <div
      class="axis"
      ref={box}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ a: x(event), b: x(event) });
      }}
      onPointerMove={(event) => drag && setDrag({ ...drag, b: x(event) })}
      onPointerUp={() => {
        if (drag && Math.abs(drag.a - drag.b) > 4) setView(range(nsAt(left + drag.a, scene), nsAt(left + drag.b, scene), total));
        setDrag(undefined);
      }}
      onDblClick={() => setView({ from: 0, to: total })}
    >
      {ticksOf(scene).map((tick, index, all) => {
        const at = ((tick.at - view.from) / (view.to - view.from)) * width;
        // The last label must not hang over the edge.
        if (index === all.length - 1 && width - at < 34) return <span key={tick.at} style={{ left: `${at}px` }} />;
        return (
          <span key={tick.at} style={{ left: `${at}px` }}>
            {tick.label}
          </span>
        );
      })}
      {drag && <i style={{ left: `${Math.min(drag.a, drag.b)}px`, width: `${Math.abs(drag.a - drag.b)}px` }} />}
    </div>
  );
}
