// The rows of a query by bucket as lines: the last number of a row is its value, its other columns tell the lines apart.
import type { Op } from '../api/alerts.ts';
import type { Value } from '../api/types.ts';
import { parseInstant } from '../format/time.ts';

export interface Line {
  label: string;
  values: (number | null)[];
}

export interface Read {
  times: number[];
  range: { from: number; to: number };
  /** The largest ones. */
  lines: Line[];
  /** Lines that are left out. */
  cut: number;
  /** In how many windows any line crosses. */
  crossings: (op: Op, threshold: number) => number;
}

const MOST = 6;

export function crosses(value: number, op: Op, threshold: number): boolean {
  if (op === '>') return value > threshold;
  if (op === '>=') return value >= threshold;
  return op === '<' ? value < threshold : value <= threshold;
}

export function readRows(rows: readonly Record<string, Value>[], from: number, to: number, step: number): Read {
  const times: number[] = [];
  for (let at = Math.floor(from / step) * step; at < to; at += step) times.push(at);
  const first = times[0] ?? 0;
  const byLabel = new Map<string, Line & { most: number }>();
  for (const row of rows) {
    const others = Object.entries(row).filter(([name]) => name !== 'bucket');
    const value = others.filter(([, one]) => typeof one === 'number').at(-1);
    const slot = Math.round((parseInstant(String(row['bucket'])).ms - first) / step);
    if (!value || slot < 0 || slot >= times.length) continue;
    const label = others
      .filter(([, one]) => typeof one !== 'number')
      .map(([, one]) => (typeof one === 'string' ? one : JSON.stringify(one)))
      .join(', ');
    const line = byLabel.get(label) ?? { label, values: times.map(() => null), most: Number.NEGATIVE_INFINITY };
    line.values[slot] = value[1] as number;
    line.most = Math.max(line.most, value[1] as number);
    byLabel.set(label, line);
  }
  const all = [...byLabel.values()].sort((a, b) => b.most - a.most || a.label.localeCompare(b.label));
  return {
    times,
    range: { from: first, to: (times.at(-1) ?? first) + step },
    lines: all.slice(0, MOST).map(({ label, values }) => ({ label, values })),
    cut: Math.max(0, all.length - MOST),
    crossings: (op, threshold) =>
      times.filter((_, slot) => all.some(({ values }) => values[slot] != null && crosses(values[slot], op, threshold))).length,
  };
}
