// The time range: relative ("-1h", moves with the clock) or absolute (two epochs in ms), in the URL as from and to.
import { clock, dayClock } from '../format/time.ts';

export const PRESETS: [string, string][] = [
  ['-5m', 'Last 5 min'],
  ['-15m', 'Last 15 min'],
  ['-1h', 'Last 1 h'],
  ['-6h', 'Last 6 h'],
  ['-24h', 'Last 24 h'],
  ['-7d', 'Last 7 d'],
];
export const DEFAULT_FROM = '-15m';

export interface Range {
  from: number;
  to: number;
  /** Ends now, and goes on ending now. */
  relative: boolean;
}

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function spanOf(from: string): number | undefined {
  const match = /^-(\d{1,6})([smhdw])$/.exec(from);
  return match ? Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0) : undefined;
}

export function resolveRange(from: string | undefined, to: string | undefined, now: number): Range {
  const back = spanOf(from ?? DEFAULT_FROM);
  if (back && !to) return { from: now - back, to: now, relative: true };
  const begin = Number(from);
  const end = Number(to);
  if (from && to && Number.isFinite(begin) && Number.isFinite(end) && begin < end) return { from: begin, to: end, relative: false };
  return { from: now - (spanOf(DEFAULT_FROM) ?? 0), to: now, relative: true };
}

export function rangeLabel(from: string | undefined, to: string | undefined): string {
  if (to && from) {
    const a = Number(from);
    const b = Number(to);
    const sameDay = new Date(a).toDateString() === new Date(b).toDateString();
    const short = b - a < 120_000 ? clock(b).slice(0, 8) : clock(b).slice(0, 5);
    return `${dayClock(a)} to ${sameDay ? short : dayClock(b)}`;
  }
  const wanted = from ?? DEFAULT_FROM;
  const preset = PRESETS.find(([value]) => value === wanted);
  return preset ? preset[1] : `Last ${wanted.slice(1)}`;
}

/** Half a window earlier (-1) or later (+1); what would begin in the future ends now. */
export function shiftRange(range: Range, direction: -1 | 1, now: number): { from: number; to: number } {
  const width = range.to - range.from;
  const to = Math.min(range.to + (direction * width) / 2, now);
  return { from: Math.round(to - width), to: Math.round(to) };
}
