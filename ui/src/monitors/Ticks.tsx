// Check-ins as ticks, the oldest at the left: colour, height and place say how each went.
import type { Check, Status } from '../api/monitors.ts';
import { plural } from '../format/number.ts';
import { absolute, parseInstant } from '../format/time.ts';
import { runTime, STATUS_WORDS } from './words.ts';

const HEIGHT = 22;
const SLOT = 6;

/** From the foot upwards; missed ones hang in the air: there is nothing under them. */
const SHAPES: Record<Status, { y: number; h: number; class: string; hollow?: true }> = {
  ok: { y: 8, h: 14, class: 'tk-ok' },
  late: { y: 13, h: 9, class: 'tk-late' },
  missed: { y: 0, h: 22, class: 'tk-missed', hollow: true },
  error: { y: 0, h: 22, class: 'tk-bad' },
  timeout: { y: 0, h: 22, class: 'tk-timeout' },
  running: { y: 18, h: 4, class: 'tk-running' },
};

export function Ticks({ checks, most = 50 }: { checks: readonly Check[]; most?: number }) {
  const shown = checks.slice(0, most).reverse();
  if (shown.length === 0) return <span class="why">no check-in yet</span>;
  const width = most * SLOT;
  const bad = shown.filter((check) => check.status !== 'ok' && check.status !== 'running').length;
  const says = `The last ${plural(shown.length, 'check-in')}: ${bad === 0 ? 'all ok' : `${bad} not ok`}`;
  return (
    <svg
      class="ticks"
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="xMaxYMid"
      role="img"
      aria-label={says}
    >
      {shown.map((check, index) => {
        const shape = SHAPES[check.status];
        const x = (most - shown.length + index) * SLOT;
        const took = check.duration === undefined ? '' : `, ${runTime(check.duration)}`;
        return (
          <g key={check.id}>
            <title>{`${STATUS_WORDS[check.status]}${took}, ${absolute(parseInstant(check.time).ms)}`}</title>
            <rect x={x} y={0} width={SLOT} height={HEIGHT} fill="transparent" />
            {shape.hollow ? (
              <rect class={shape.class} x={x + 1} y={shape.y + 0.5} width={3} height={shape.h - 1} />
            ) : (
              <rect class={shape.class} x={x + 0.5} y={shape.y} width={4} height={shape.h} />
            )}
            {check.status === 'timeout' && <rect class="tk-gap" x={x + 0.5} y={9} width={4} height={3} />}
          </g>
        );
      })}
    </svg>
  );
}

export function TickKey() {
  const words: [Status, string][] = [
    ['ok', 'ok'],
    ['late', 'late'],
    ['missed', 'missed'],
    ['error', 'failed'],
    ['timeout', 'timed out'],
    ['running', 'running'],
  ];
  return (
    <span class="tickkey sm d3 wide">
      {words.map(([status, word]) => {
        const shape = SHAPES[status];
        return (
          <span class="row" key={status}>
            <svg width="5" height={HEIGHT} viewBox={`0 0 5 ${HEIGHT}`} aria-hidden="true">
              <rect
                class={shape.class}
                x={shape.hollow ? 1 : 0.5}
                y={shape.hollow ? 0.5 : shape.y}
                width={shape.hollow ? 3 : 4}
                height={shape.hollow ? shape.h - 1 : shape.h}
              />
              {status === 'timeout' && <rect class="tk-gap" x={0.5} y={9} width={4} height={3} />}
            </svg>
            {word}
          </span>
        );
      })}
    </span>
  );
}
