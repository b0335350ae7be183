import { describe, expect, it } from 'vitest';
import type { MapEdge, MapNode } from '../api/overview.ts';
import { fit, layout, NODE_H, NODE_W, neighbour, pathOf, strokeOf, zoom } from './layout.ts';
import { callQuery, mapWords, nests } from './words.ts';

const node = (service: string, kind: MapNode['kind'] = 'service'): MapNode => ({ service, kind, requests: 100, errors: 0 });
const edge = (from: string, to: string, requests = 100, error_ratio = 0): MapEdge => ({
  from,
  to,
  requests,
  errors: requests * error_ratio,
  error_ratio,
});

const shop = {
  nodes: [...['web', 'checkout', 'payments', 'alone'].map((name) => node(name)), node('postgresql', 'database')],
  edges: [
    edge('web', 'checkout'),
    edge('checkout', 'payments'),
    edge('checkout', 'postgresql'),
    edge('web', 'postgresql'),
    edge('web', 'web'),
  ],
};

describe('the layout', () => {
  const placed = layout(shop);
  const x = (name: string) => placed.nodes.find((entry) => entry.service === name)?.x ?? Number.NaN;

  it('has callers left of what they call', () => {
    expect(x('web')).toBeLessThan(x('checkout'));
    expect(x('checkout')).toBeLessThan(x('payments'));
    expect(x('checkout')).toBeLessThan(x('postgresql'));
  });
  it('puts nothing on top of another', () => {
    for (const a of placed.nodes) {
      for (const b of placed.nodes) {
        if (a !== b) expect(Math.abs(a.x - b.x) >= NODE_W || Math.abs(a.y - b.y) >= NODE_H).toBe(true);
      }
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.y + NODE_H).toBeLessThanOrEqual(placed.height);
    }
  });
  it('draws each call once, and none to oneself', () => {
    expect(placed.edges.map((entry) => `${entry.from}>${entry.to}`)).toEqual([
      'checkout>payments',
      'checkout>postgresql',
      'web>checkout',
      'web>postgresql',
    ]);
  });
  it('leaves at the right, comes in at the left, and its label is on the way', () => {
    for (const { points, label } of placed.edges) {
      expect(points[0]?.x).toBeLessThan(label.x);
      expect(points.at(-1)?.x).toBeGreaterThan(label.x);
    }
  });
  it('is the same for the same calls, in any order', () => {
    expect(layout({ nodes: [...shop.nodes].reverse(), edges: [...shop.edges].reverse() })).toEqual(placed);
  });
  it('bears circles, calls to nowhere and nothing at all', () => {
    const circle = layout({ nodes: [node('a'), node('b')], edges: [edge('a', 'b'), edge('b', 'a'), edge('a', 'gone')] });
    expect(circle.edges).toHaveLength(2);
    expect(layout({ nodes: [], edges: [] })).toEqual({ nodes: [], edges: [], width: 0, height: 0 });
  });
  it('is walked by arrows', () => {
    expect(neighbour(placed.nodes, 'web', 'right')).toBe('checkout');
    expect(neighbour(placed.nodes, 'payments', 'left')).toBe('checkout');
    expect(neighbour(placed.nodes, 'web', 'left')).toBeUndefined();
    expect(neighbour(placed.nodes, 'unknown', 'left')).toBeDefined();
  });
});

describe('an edge', () => {
  it('is the wider the busier', () => {
    expect(strokeOf(0, 100)).toBe(1);
    expect(strokeOf(100, 100)).toBe(5);
    expect(strokeOf(10, 100)).toBeGreaterThan(strokeOf(5, 100));
  });
  it('is a path through its points', () => {
    const [a, b, c] = [
      { x: 0, y: 0 },
      { x: 5, y: 5 },
      { x: 10, y: 0 },
    ];
    expect(pathOf([a, c])).toBe('M0 0C5 0 5 0 10 0');
    expect(pathOf([a, b, c])).toBe('M0 0C2.5 0 2.5 5 5 5C7.5 5 7.5 0 10 0');
    expect(pathOf([])).toBe('');
  });
  it('leads to exactly its calls', () => {
    expect(callQuery(edge('web', 'checkout'), true, 'status=error')).toBe(
      'spans service=checkout kind=(server, consumer) status=error parent in {spans service=web | select span}',
    );
    nests.value = false;
    expect(callQuery(edge('web', 'checkout'), true)).toBe('spans service=checkout kind=(server, consumer)');
    nests.value = true;
    expect(callQuery(edge('web', 'postgresql'), false)).toMatch(
      /^spans service=web kind=\(client, producer\) \(peer.service=postgresql or /,
    );
  });
});

describe('the view', () => {
  it('fits all in the middle', () => {
    expect(fit(100, 100, { width: 1000, height: 500 })).toEqual({ x: 437.5, y: 187.5, k: 1.25 });
    expect(fit(1952, 100, { width: 1000, height: 500 }).k).toBe(0.5);
  });
  it('keeps what is under the pointer when it zooms', () => {
    const view = { x: 10, y: 20, k: 1 };
    const at = { x: 110, y: 220 };
    const next = zoom(view, 1.5, at);
    expect((at.x - next.x) / next.k).toBeCloseTo((at.x - view.x) / view.k);
    expect(zoom(view, 100, at).k).toBe(2);
  });
});

describe('the words', () => {
  it('name the call that fails most', () => {
    expect(mapWords(shop)).toMatchObject({ mood: 'k', text: '4 services and 1 thing that they call: no call fails often' });
    const bad = { ...shop, edges: [edge('web', 'checkout', 1000, 0.061), edge('web', 'postgresql', 100, 0.02), edge('a', 'b', 2, 1)] };
    expect(mapWords(bad).text).toBe('web to checkout fails most: 6.1\u202f% of 1,000 calls, 1 other call fails too');
  });
});
