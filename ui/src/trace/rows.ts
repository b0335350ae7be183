// The rows of the waterfall: which nodes are seen, in what order, how deep; repeats folded into one.
import { placeText } from './captured.ts';
import type { MissingNode, MomentNode, SpanNode, TraceModel, TraceNode } from './model.ts';

/** Sisters of one name that did the same thing again and again: the N+1. */
export interface RepeatNode {
  type: 'repeat';
  spans: SpanNode[];
  start: number;
  duration: number;
}

export interface Row {
  node: SpanNode | MomentNode | MissingNode | RepeatNode;
  depth: number;
  /** undefined: nothing to fold. */
  open: boolean | undefined;
  /** Does the search match it (or is there none)? What does not is shown faint, for context. */
  matches: boolean;
}

export const REPEAT_LEAST = 4;

export interface RowOptions {
  folded: ReadonlySet<TraceNode>;
  /** First spans of repeats that the reader opened. */
  opened: ReadonlySet<SpanNode>;
  matches?: ((node: TraceNode) => boolean) | undefined;
}

/** With a stack of its own: a trace may be deeper than the engine's. */
export function layoutRows(model: TraceModel, options: RowOptions): Row[] {
  const rows: Row[] = [];
  const matches = options.matches ?? (() => true);
  const stack: { item: TraceNode | RepeatNode; depth: number }[] = [];
  const push = (items: (TraceNode | RepeatNode)[], depth: number) => {
    for (let i = items.length - 1; i >= 0; i--) stack.push({ item: items[i] as TraceNode | RepeatNode, depth });
  };
  push(withRepeats(model.roots), 0);
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { item, depth } = next;
    if (item.type === 'repeat') {
      const open = options.opened.has(item.spans[0] as SpanNode);
      rows.push({ node: item, depth, open, matches: item.spans.some(matches) });
      if (open) push(item.spans, depth + 1);
      continue;
    }
    const holds = item.type === 'span' || item.type === 'missing';
    const open = holds && item.children.length > 0 ? !options.folded.has(item) : undefined;
    rows.push({ node: item, depth, open, matches: matches(item) });
    if (open && holds) push(withRepeats(item.children), depth + 1);
  }
  return rows;
}

/** Runs of like leaves, one after the other, with nothing else between them. */
export function withRepeats(nodes: TraceNode[]): (TraceNode | RepeatNode)[] {
  const out: (TraceNode | RepeatNode)[] = [];
  let run: SpanNode[] = [];
  const flush = () => {
    if (run.length >= REPEAT_LEAST) {
      const start = (run[0] as SpanNode).start;
      const end = Math.max(...run.map((span) => span.start + span.duration));
      out.push({ type: 'repeat', spans: run, start, duration: end - start });
    } else out.push(...run);
    run = [];
  };
  for (const node of nodes) {
    const leaf = node.type === 'span' && node.children.length === 0 && !node.error;
    if (leaf && run[0] && alike(run[0], node)) run.push(node);
    else {
      flush();
      if (leaf) run = [node];
      else out.push(node);
    }
  }
  flush();
  return out;
}

function alike(a: SpanNode, b: SpanNode): boolean {
  return a.name === b.name && a.service === b.service && a.row.kind === b.row.kind && statement(a) === statement(b);
}

/** The SQL (or the like) of a span. */
export function statement(span: SpanNode): string | undefined {
  const value = span.row.attr?.['db.query.text'] ?? span.row.attr?.['db.statement'];
  return typeof value === 'string' ? value : undefined;
}

/** A span's name with what it says too little of: the statement where the name is only its verb, the path where only its method. */
export function detailOf(span: SpanNode): string | undefined {
  const sql = statement(span);
  if (sql) {
    const bare = sql.replace(/\s+/g, ' ').trim();
    const verb = /^[a-z]+/i.exec(span.name)?.[0] ?? '';
    return bare.toLowerCase().startsWith(`${verb.toLowerCase()} `) && span.name === verb ? bare.slice(verb.length + 1) : bare;
  }
  const url = span.row.attr?.['url.full'] ?? span.row.attr?.['http.url'];
  if (typeof url === 'string' && /^[A-Z]+$/.test(span.name)) return url.replace(/^https?:\/\//, '').replace(/\?.*$/, '');
  return undefined;
}

/** All words of the search stand somewhere in the name, service, text or attributes. */
export function matcher(search: string): ((node: TraceNode) => boolean) | undefined {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return undefined;
  const cache = new WeakMap<TraceNode, string>();
  return (node) => {
    let hay = cache.get(node);
    if (hay === undefined) {
      hay = haystack(node).toLowerCase();
      cache.set(node, hay);
    }
    return words.every((word) => hay.includes(word));
  };
}

function haystack(node: TraceNode): string {
  if (node.type === 'missing') return node.id;
  if (node.type === 'log') return `${node.service} ${node.level} ${node.text} ${JSON.stringify(node.row.attr ?? {})}`;
  if (node.type === 'snapshot') {
    const { row } = node;
    const values = Object.entries(row.columns ?? {}).map(([name, value]) => `${name} = ${value}`);
    return `${node.service} snapshot ${placeText(row)} ${row.file ?? ''} ${row.function ?? ''} ${row.probe} ${row.id} ${values.join(' ')}`;
  }
  if (node.type === 'event') {
    const { row } = node;
    const stack = [...(row['stack.function'] ?? []), ...(row['stack.file'] ?? [])].join(' ');
    return `${node.service} ${row.level ?? ''} ${node.title} ${row.message ?? ''} ${row.culprit ?? ''} ${row.event_id} ${stack} ${JSON.stringify(row.attr ?? {})}`;
  }
  const { row } = node;
  return `${node.service} ${node.name} ${row.span} ${row.kind ?? ''} ${row.status ?? ''} ${row.message ?? ''} ${JSON.stringify(row.attr ?? {})} ${node.peer?.name ?? ''}`;
}
