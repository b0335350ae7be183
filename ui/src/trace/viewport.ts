// What part of the trace's time the canvas shows. Pure: the page keeps one and replaces it.

export interface Viewport {
  from: number;
  to: number;
}

/** Nothing is seen closer than this. */
const LEAST_NS = 1_000;

export function fit(duration: number): Viewport {
  return { from: 0, to: Math.max(duration, LEAST_NS) };
}

export function isFit(view: Viewport, duration: number): boolean {
  return view.from <= 0 && view.to >= Math.max(duration, LEAST_NS);
}

function clamp(from: number, width: number, duration: number): Viewport {
  const whole = Math.max(duration, LEAST_NS);
  const w = Math.min(Math.max(width, Math.min(LEAST_NS, whole)), whole);
  const f = Math.min(Math.max(0, from), whole - w);
  return { from: f, to: f + w };
}

/** factor < 1: closer. The time at `anchor` stays where it is. */
export function zoom(view: Viewport, factor: number, anchor: number, duration: number): Viewport {
  const width = view.to - view.from;
  const whole = Math.max(duration, LEAST_NS);
  const next = Math.min(Math.max(width * factor, Math.min(LEAST_NS, whole)), whole);
  const share = width > 0 ? (anchor - view.from) / width : 0.5;
  return clamp(anchor - share * next, next, duration);
}

export function pan(view: Viewport, by: number, duration: number): Viewport {
  return clamp(view.from + by, view.to - view.from, duration);
}

/** Two fingers on the time line: how far apart, and where between them, in shares of its width. */
export interface Fingers {
  gap: number;
  middle: number;
}

/** What was between the fingers when they came down stays between them. */
export function pinch(view: Viewport, began: Fingers, now: Fingers, duration: number): Viewport {
  const anchor = view.from + began.middle * (view.to - view.from);
  const next = zoom(view, began.gap / now.gap, anchor, duration);
  return pan(next, (began.middle - now.middle) * (next.to - next.from), duration);
}

/** Shows [from, to] with some room around. */
export function focusOn(from: number, to: number, duration: number): Viewport {
  const width = Math.max(to - from, LEAST_NS);
  return clamp(from - width * 0.15, width * 1.3, duration);
}

export function range(from: number, to: number, duration: number): Viewport {
  return clamp(Math.min(from, to), Math.abs(to - from), duration);
}
