// A trace in a few rows, for pages that are about one span of it: the way down to that span, and what took longest beside it.
import type { EventNode, MissingNode, SpanNode, TraceModel, TraceNode } from './model.ts';

export interface MiniRow {
  node: SpanNode | MissingNode;
  depth: number;
  /** The span that it is about. */
  here: boolean;
  /** Errors that happened in it, by their times. */
  events: EventNode[];
}

export interface Mini {
  rows: MiniRow[];
  /** Spans that are not shown. */
  left: number;
}

type Holder = SpanNode | MissingNode;

const holds = (node: TraceNode): node is Holder => node.type === 'span' || node.type === 'missing';

/** The span with this id; where client and server share it, that of the service. */
export function spanWith(model: TraceModel, id: string | undefined, service?: string): SpanNode | undefined {
  const all = id ? model.spans.filter((span) => span.row.span === id) : [];
  return all.find((span) => span.service === service) ?? all[0];
}

export function miniRows(model: TraceModel, about: SpanNode | undefined, most: number): Mini {
  const chosen = new Set<Holder>();
  const way: Holder[] = [];
  for (let node: Holder | undefined = about ?? model.main; node; node = node.parent) way.unshift(node);
  // Of a deep way, its begin and its end.
  const cut = way.length > most ? [...way.slice(0, 1), ...way.slice(way.length - most + 1)] : way;
  for (const node of cut) chosen.add(node);
  const candidates = model.spans
    .filter((span) => !chosen.has(span))
    .sort((a, b) => Number(b.error) - Number(a.error) || b.duration - a.duration || a.start - b.start);
  for (let added = true; added && chosen.size < most; ) {
    added = false;
    for (const span of candidates) {
      if (chosen.size >= most) break;
      if (chosen.has(span) || (span.parent && !chosen.has(span.parent))) continue;
      chosen.add(span);
      added = true;
      break;
    }
  }
  const rows: MiniRow[] = [];
  const stack: { node: TraceNode; depth: number }[] = [];
  const push = (nodes: readonly TraceNode[], depth: number) => {
    for (let i = nodes.length - 1; i >= 0; i--) stack.push({ node: nodes[i] as TraceNode, depth });
  };
  push(model.roots, 0);
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, depth } = next;
    if (!holds(node)) continue;
    const shown = chosen.has(node);
    if (shown)
      rows.push({
        node,
        depth,
        here: node === about,
        events: node.children.filter((child): child is EventNode => child.type === 'event' && child.error),
      });
    push(node.children, shown ? depth + 1 : depth);
  }
  return { rows, left: model.spans.length - rows.filter((row) => row.node.type === 'span').length };
}
