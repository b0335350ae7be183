// The critical path: at every moment of the trace, the span that the end was waiting for. Walked from the end backwards:
// the child that ended last before the present moment was being waited for, before it the parent itself.
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
  const stack: Frame[] = [frame(root, root.start, root.start + root.duration)];
  while (stack.length > 0) {
    const top = stack.at(-1) as Frame;
    const child = top.children[top.next++];
    if (!child || top.now <= top.from) {
      add(out, top.span, top.from, top.now);
      stack.pop();
      continue;
    }
    const late = child.start + child.duration > top.now + TOLERANCE_NS;
    const end = Math.min(child.start + child.duration, top.now);
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
  const children = spansBelow(span.children).sort((a, b) => b.start + b.duration - (a.start + a.duration));
  return { span, from, now: to, children, next: 0 };
}

function add(out: Segment[], span: SpanNode, from: number, to: number): void {
  if (to > from) out.push({ span, from, to });
}

function spansBelow(children: TraceNode[]): SpanNode[] {
  return children.flatMap((child) => (child.type === 'span' ? [child] : child.type === 'missing' ? spansBelow(child.children) : []));
}
