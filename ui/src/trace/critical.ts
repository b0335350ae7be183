// The critical path: at every moment of the trace, the span that the end was waiting for. Walked from the end backwards:
// the child that ended last before the present moment was being waited for, before it the parent itself. The server
// computes the same (GET /api/v1/traces/{id}/path); tests/vectors/paths.json holds both to it.
import type { SpanNode, TraceNode } from './model.ts';
import { TOLERANCE_NS } from './skew.ts';

export interface Segment {
  span: SpanNode;
  from: number;
  to: number;
}

interface Frame {
  span: SpanNode;
  from: number;
  /** Everything from here to the end of the frame is accounted for. */
  now: number;
  /** Not looked at yet, the last to end first. */
  children: SpanNode[];
  next: number;
}

/** With a stack of its own: a trace may be deeper than the engine's. */
export function criticalPath(root: SpanNode): Segment[] {
  const out: Segment[] = [];
  const stack: Frame[] = [frame(root, root.start, endOf(root))];
  while (stack.length > 0) {
    const top = stack.at(-1) as Frame;
    const child = top.children[top.next++];
    if (!child || top.now <= top.from) {
      add(out, top.span, top.from, top.now);
      stack.pop();
      continue;
    }
    const late = endOf(child) > top.now + TOLERANCE_NS;
    const end = Math.min(endOf(child), top.now);
    const begin = Math.max(child.start, top.from);
    // Still running at this moment, or over before the window: nobody waited for it here.
    if (late || end <= begin) continue;
    add(out, top.span, end, top.now);
    stack.push(frame(child, begin, end));
    top.now = begin;
  }
  return out.sort((a, b) => a.from - b.from);
}

function frame(span: SpanNode, from: number, to: number): Frame {
  // The last to end first; then the first to start, so that the whole of it is told; ids make the order certain.
  const children = spansBelow(span.children).sort((a, b) => endOf(b) - endOf(a) || a.start - b.start || (a.row.span < b.row.span ? -1 : 1));
  return { span, from, now: to, children, next: 0 };
}

function add(out: Segment[], span: SpanNode, from: number, to: number): void {
  if (to > from) out.push({ span, from, to });
}

/** A negative duration, of a clock that was set back, is none. */
function endOf(span: SpanNode): number {
  return span.start + Math.max(0, span.duration);
}

export function spansBelow(children: TraceNode[]): SpanNode[] {
  return children.flatMap((child) => (child.type === 'span' ? [child] : child.type === 'missing' ? spansBelow(child.children) : []));
}
