// The map as a picture: boxes and lines in SVG, moved and zoomed as one.
import { Maximize, Minus, Plus } from 'lucide';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ServiceMap } from '../api/overview.ts';
import { useSize } from '../charts/canvas.ts';
import { percent } from '../format/number.ts';
import { type RateUnit, rateNumber } from '../format/rate.ts';
import { Icon } from '../parts/Icon.tsx';
import { hold } from '../state/live.ts';
import { hueOf } from '../state/services.ts';
import {
  type Direction,
  fit,
  layout,
  NODE_H,
  NODE_W,
  neighbour,
  type PlacedEdge,
  type PlacedNode,
  pathOf,
  strokeOf,
  type View,
  zoom,
} from './layout.ts';
import { BAD, timeOf } from './words.ts';

export type Choice = { node: string } | { from: string; to: string } | undefined;

interface Props {
  map: ServiceMap;
  unit: RateUnit;
  chosen: Choice;
  choose: (choice: Choice) => void;
  /** Only what matches stands out. */
  find: string;
  stale: boolean;
}

const DIRECTIONS: Record<string, Direction> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' };
const STEP = 1.25;

export function Picture({ map, unit, chosen, choose, find, stale }: Props) {
  const [box, size] = useSize<HTMLDivElement>();
  // The same calls keep their places while their numbers change.
  const shape = [...map.nodes.map((node) => node.service).sort(), ...map.edges.map((edge) => `${edge.from}>${edge.to}`).sort()].join('\n');
  const placed = useMemo(() => layout(map), [shape]);
  const numbers = useMemo(
    () => ({
      nodes: new Map(map.nodes.map((node) => [node.service, node])),
      edges: new Map(map.edges.map((edge) => [`${edge.from}>${edge.to}`, edge])),
      most: Math.max(1, ...map.edges.map((edge) => edge.requests)),
    }),
    [map],
  );
  const [moved, setMoved] = useState<View | undefined>();
  useLayoutEffect(() => setMoved(undefined), [shape]);
  const view = moved ?? fit(placed.width, placed.height, size);
  const drag = useRef<{ x: number; y: number; view: View } | undefined>(undefined);
  const middle = { x: size.width / 2, y: size.height / 2 };
  const wanted = find.trim().toLowerCase();
  const near = nearOf(map, chosen);
  const faint = (name: string) => (wanted !== '' && !name.toLowerCase().includes(wanted)) || (near !== undefined && !near.has(name));

  const onKeyDown = (event: KeyboardEvent) => {
    const direction = DIRECTIONS[event.key];
    if (direction) {
      const at = (document.activeElement as HTMLElement | null)?.dataset['node'] ?? (chosen && 'node' in chosen ? chosen.node : '');
      const next = neighbour(placed.nodes, at, direction);
      if (!next) return;
      box.current?.querySelector<SVGElement>(`[data-node="${CSS.escape(next)}"]`)?.focus();
      if (chosen) choose({ node: next });
    } else if (event.key === '+' || event.key === '=') setMoved(zoom(view, STEP, middle));
    else if (event.key === '-') setMoved(zoom(view, 1 / STEP, middle));
    else if (event.key === '0' || event.key === 'z') setMoved(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class={`mapbox ${stale ? 'stale' : ''}`}
      ref={box}
      role="group"
      tabIndex={0}
      aria-label="Service map. Arrow keys go from service to service, Enter shows its numbers, plus and minus zoom."
      onKeyDown={onKeyDown}
      onWheel={(event) => {
        event.preventDefault();
        hold();
        const rect = event.currentTarget.getBoundingClientRect();
        setMoved(zoom(view, Math.exp(-event.deltaY * 0.0015), { x: event.clientX - rect.left, y: event.clientY - rect.top }));
      }}
      onPointerDown={(event) => {
        if (event.button !== 0 || (event.target as Element).closest('[data-node], [data-edge], button')) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, y: event.clientY, view };
      }}
      onPointerMove={(event) => {
        hold();
        const from = drag.current;
        if (from) setMoved({ ...from.view, x: from.view.x + event.clientX - from.x, y: from.view.y + event.clientY - from.y });
      }}
      onPointerUp={(event) => {
        const from = drag.current;
        drag.current = undefined;
        if (from && Math.hypot(event.clientX - from.x, event.clientY - from.y) < 4) choose(undefined);
      }}
      onPointerCancel={() => {
        drag.current = undefined;
      }}
    >
      {size.width > 0 && (
        <svg class="map" width={size.width} height={size.height} role="presentation">
          <defs>
            {['', 'e', 'on'].map((look) => (
              <marker
                key={look}
                id={`arrow${look}`}
                class={`arrow ${look}`}
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="8"
                markerHeight="8"
                markerUnits="userSpaceOnUse"
                orient="auto"
              >
                <path d="M0 0.5L7.5 4L0 7.5z" />
              </marker>
            ))}
          </defs>
          <g transform={`translate(${view.x} ${view.y}) scale(${view.k})`}>
            {placed.edges.map((edge) => (
              <Edge
                key={`${edge.from}>${edge.to}`}
                edge={{ ...edge, ...numbers.edges.get(`${edge.from}>${edge.to}`) }}
                most={numbers.most}
                unit={unit}
                on={!!chosen && 'from' in chosen && chosen.from === edge.from && chosen.to === edge.to}
                faint={isAside(chosen, edge) || (wanted !== '' && faint(edge.from) && faint(edge.to))}
                choose={() => choose({ from: edge.from, to: edge.to })}
              />
            ))}
            {placed.nodes.map((node) => (
              <Node
                key={node.service}
                node={{ ...node, ...numbers.nodes.get(node.service) }}
                unit={unit}
                on={!!chosen && 'node' in chosen && chosen.node === node.service}
                faint={faint(node.service)}
                choose={() => choose({ node: node.service })}
              />
            ))}
          </g>
        </svg>
      )}
      <div class="zooms">
        <button type="button" class="btn s i" aria-label="Zoom in" title="Zoom in (+)" onClick={() => setMoved(zoom(view, STEP, middle))}>
          <Icon icon={Plus} size={14} />
        </button>
        <button
          type="button"
          class="btn s i"
          aria-label="Zoom out"
          title="Zoom out (-)"
          onClick={() => setMoved(zoom(view, 1 / STEP, middle))}
        >
          <Icon icon={Minus} size={14} />
        </button>
        <button type="button" class="btn s i" aria-label="Show all" title="Show all (z)" onClick={() => setMoved(undefined)}>
          <Icon icon={Maximize} size={14} />
        </button>
      </div>
    </div>
  );
}

/** A chosen service stands with its callers and what it calls. */
function nearOf(map: ServiceMap, chosen: Choice): Set<string> | undefined {
  if (!chosen) return undefined;
  if ('from' in chosen) return new Set([chosen.from, chosen.to]);
  const near = new Set([chosen.node]);
  for (const edge of map.edges) {
    if (edge.from === chosen.node) near.add(edge.to);
    if (edge.to === chosen.node) near.add(edge.from);
  }
  return near;
}

function isAside(chosen: Choice, edge: PlacedEdge): boolean {
  if (!chosen) return false;
  if ('from' in chosen) return chosen.from !== edge.from || chosen.to !== edge.to;
  return edge.from !== chosen.node && edge.to !== chosen.node;
}

function onEnter(run: () => void) {
  return (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
}

interface MarkProps {
  unit: RateUnit;
  on: boolean;
  faint: boolean;
  choose: () => void;
}

/** About how wide a character of a label is. */
const LABEL_CHAR = 6.3;

function Edge({ edge, most, unit, on, faint, choose }: MarkProps & { edge: PlacedEdge; most: number }) {
  const bad = (edge.error_ratio ?? 0) >= BAD;
  const path = pathOf(edge.points);
  const rate = `${rateNumber(edge.rate ?? 0, unit)}\u202f${unit.label}`;
  const ratio = percent(edge.error_ratio ?? 0);
  const wide = (rate.length + (bad ? ratio.length + 1 : 0)) * LABEL_CHAR + 6;
  return (
    <g
      class={`edge ${bad ? 'e' : ''} ${on ? 'on' : ''} ${faint ? 'faint' : ''}`}
      data-edge={`${edge.from}>${edge.to}`}
      role="button"
      // SVG knows this attribute by its lower case only.
      tabindex={0}
      aria-pressed={on}
      aria-label={`${edge.from} calls ${edge.to}: ${rate}, ${ratio} fail, p95 ${timeOf(edge.p95)}`}
      onClick={choose}
      onKeyDown={onEnter(choose)}
    >
      <path class="hit" d={path} />
      <path class="wire" d={path} stroke-width={strokeOf(edge.requests, most)} marker-end={`url(#arrow${on ? 'on' : bad ? 'e' : ''})`} />
      <rect class="lbg" x={edge.label.x - wide / 2} y={edge.label.y - 7} width={wide} height="14" />
      <text x={edge.label.x} y={edge.label.y} class="lb" aria-hidden="true">
        {rate}
        {bad && <tspan class="er"> {ratio}</tspan>}
      </text>
    </g>
  );
}

/** Longer names do not fit. */
const CHARS = 17;

function Node({ node, unit, on, faint, choose }: MarkProps & { node: PlacedNode }) {
  const bad = (node.error_ratio ?? 0) >= BAD && node.errors > 1;
  const rate = `${rateNumber(node.rate ?? 0, unit)}\u202f${unit.label}`;
  const own = node.kind === 'service';
  return (
    <g
      class={`node h${hueOf(node.service)} ${own ? '' : 'ext'} ${bad ? 'e' : ''} ${on ? 'on' : ''} ${faint ? 'faint' : ''}`}
      transform={`translate(${node.x} ${node.y})`}
      data-node={node.service}
      role="button"
      tabindex={0}
      aria-pressed={on}
      // The words that are seen, in their order: who speaks to the page says what he sees.
      aria-label={`${node.service}: ${rate}, ${node.p95 === undefined ? '' : `${timeOf(node.p95)}, `}${percent(node.error_ratio ?? 0)} fail, ${own ? 'service' : node.kind}`}
      onClick={choose}
      onKeyDown={onEnter(choose)}
    >
      {node.service.length > CHARS && <title>{node.service}</title>}
      <rect class="body" width={NODE_W} height={NODE_H} rx="5" />
      <rect class="mark" x="11.75" y="13.75" width="8.5" height="8.5" rx="2" />
      <text x="27" y="22" class="name">
        {node.service.length > CHARS ? `${node.service.slice(0, CHARS - 1)}…` : node.service}
      </text>{' '}
      <text x="12" y="44" class="nums">
        {rate}{' '}
        {node.p95 !== undefined && (
          <tspan class="d3" dx="8">
            {timeOf(node.p95)}
          </tspan>
        )}
      </text>{' '}
      <text x={NODE_W - 12} y="44" class={bad ? 'nums er' : 'nums d3'} text-anchor="end">
        {percent(node.error_ratio ?? 0)}
      </text>
    </g>
  );
}
