// Where the nodes of the service map stand. Pure: the same calls give the same picture.
import { layout as dagre, Graph } from '@dagrejs/dagre';
import type { MapEdge, MapNode, ServiceMap } from '../api/overview.ts';

export const NODE_W = 176;
export const NODE_H = 58;

interface Point {
  x: number;
  y: number;
}

/** x and y: the left upper corner. */
export interface PlacedNode extends MapNode, Point {}

export interface PlacedEdge extends MapEdge {
  points: Point[];
  /** Middle of its label. */
  label: Point;
}

export interface Layout {
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  width: number;
  height: number;
}

const LABEL_W = 76;
const LABEL_H = 16;

/** Callers left of what they call; a service that calls itself shows that in its panel, not as a loop. */
export function layout({ nodes, edges }: ServiceMap): Layout {
  if (nodes.length === 0) return { nodes: [], edges: [], width: 0, height: 0 };
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: 56, edgesep: 14, marginx: 8, marginy: 8 });
  const byName = new Map(nodes.map((node) => [node.service, node]));
  const names = [...byName.keys()].sort();
  for (const name of names) graph.setNode(name, { width: NODE_W, height: NODE_H });
  const drawn = edges
    .filter((edge) => edge.from !== edge.to && byName.has(edge.from) && byName.has(edge.to))
    .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
  for (const edge of drawn) graph.setEdge(edge.from, edge.to, { width: LABEL_W, height: LABEL_H, labelpos: 'c', weight: weightOf(edge) });
  dagre(graph);
  const size = graph.graph() as { width?: number; height?: number };
  const middle = (name: string) => graph.node(name) as Point;
  return {
    nodes: names.map((name) => ({ ...(byName.get(name) as MapNode), x: middle(name).x - NODE_W / 2, y: middle(name).y - NODE_H / 2 })),
    edges: drawn.map((edge) => {
      const at = graph.edge(edge.from, edge.to) as Point & { points: Point[] };
      return { ...edge, points: ends(middle(edge.from), middle(edge.to), at.points), label: { x: at.x, y: at.y } };
    }),
    width: size.width ?? 0,
    height: size.height ?? 0,
  };
}

/** A call leaves at the right and comes in at the left; what goes back keeps the way around. */
function ends(from: Point, to: Point, points: Point[]): Point[] {
  const out = { x: from.x + NODE_W / 2, y: from.y };
  const into = { x: to.x - NODE_W / 2, y: to.y };
  const between = points.slice(1, -1);
  if (into.x <= out.x) return points;
  return [out, ...between.filter((point) => point.x > out.x && point.x < into.x), into];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Busy calls are kept short and straight. */
function weightOf(edge: MapEdge): number {
  return 1 + Math.round(Math.log10(1 + edge.requests));
}

/** Strokes from 1 to 5 px, by the root of the calls in relation to the busiest. */
export function strokeOf(requests: number, most: number): number {
  return requests > 0 && most > 0 ? 1 + 4 * Math.sqrt(requests / most) : 1;
}

/** A smooth line through all the points, level at each of them. */
export function pathOf(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first || rest.length === 0) return '';
  let path = `M${round(first.x)} ${round(first.y)}`;
  let last = first;
  for (const point of rest) {
    const middle = round((last.x + point.x) / 2);
    path += `C${middle} ${round(last.y)} ${middle} ${round(point.y)} ${round(point.x)} ${round(point.y)}`;
    last = point;
  }
  return path;
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The next node in a direction: near, and more ahead than aside. */
export function neighbour(nodes: readonly PlacedNode[], from: string, direction: Direction): string | undefined {
  const here = nodes.find((node) => node.service === from);
  if (!here) return nodes[0]?.service;
  const level = direction === 'left' || direction === 'right';
  const sign = direction === 'left' || direction === 'up' ? -1 : 1;
  let best: { name: string; cost: number } | undefined;
  for (const node of nodes) {
    const dx = node.x - here.x;
    const dy = node.y - here.y;
    const ahead = sign * (level ? dx : dy);
    if (ahead <= 1) continue;
    const cost = ahead + 2 * Math.abs(level ? dy : dx);
    if (!best || cost < best.cost) best = { name: node.service, cost };
  }
  return best?.name;
}

/** Where the picture stands in its box; k: dots a unit. */
export interface View extends Point {
  k: number;
}

const LEAST = 0.25;
const MOST = 2;
/** A small system may be a little larger than life. */
const LARGEST_FIT = 1.25;

/** All of it in the middle. */
export function fit(width: number, height: number, box: { width: number; height: number }): View {
  const k = Math.max(LEAST, Math.min(LARGEST_FIT, box.width / Math.max(1, width + 48), box.height / Math.max(1, height + 48)));
  return { x: (box.width - width * k) / 2, y: (box.height - height * k) / 2, k };
}

/** What is under the point stays there. */
export function zoom(view: View, factor: number, at: Point): View {
  const k = Math.max(LEAST, Math.min(MOST, view.k * factor));
  const share = k / view.k;
  return { x: at.x - (at.x - view.x) * share, y: at.y - (at.y - view.y) * share, k };
}
