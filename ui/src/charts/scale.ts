// Numbers behind time series on canvas: scales, buckets, what is drawn where. Pure.

export interface Span {
  from: number;
  to: number;
}

/** The top of an axis that begins at zero and has a tick in its middle: the next of 1, 2, 4, 6, 8 or 10 times a power of ten. */
export function niceTop(most: number, floor = 0): number {
  const wanted = Math.max(most, floor);
  if (!(wanted > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 4, 6, 8, 10].map((n) => n * power).find((n) => n >= wanted * 0.999999) ?? wanted;
}

/** Runs of consecutive buckets that have a value: gaps are gaps. */
export function runsOf(values: readonly (number | null | undefined)[]): [number, number][] {
  const runs: [number, number][] = [];
  let begin = -1;
  values.forEach((value, index) => {
    const there = value !== null && value !== undefined && Number.isFinite(value);
    if (there && begin < 0) begin = index;
    if (!there && begin >= 0) {
      runs.push([begin, index - 1]);
      begin = -1;
    }
  });
  if (begin >= 0) runs.push([begin, values.length - 1]);
  return runs;
}

/** The bucket that a time falls into; -1: none. */
export function bucketAt(times: readonly number[], step: number, at: number): number {
  const first = times[0];
  if (first === undefined || step <= 0) return -1;
  const index = Math.floor((at - first) / step);
  return index >= 0 && index < times.length ? index : -1;
}

/** The last bucket when it still fills: it ends after the range does. -1: all are whole. */
export function unfinished(times: readonly number[], step: number, to: number): number {
  const last = times.at(-1);
  return last !== undefined && last + step > to + step * 0.02 ? times.length - 1 : -1;
}

export interface Placed<T> {
  mark: T;
  x: number;
  /** Where its label stands; undefined: no room for one. */
  label: { x: number; align: 'left' | 'right' } | undefined;
}

/** Labels of vertical marks: left of the line, right of it at the left edge, left out where another one stands. The more important come first. */
export function placeMarks<T>(
  marks: readonly T[],
  x: (mark: T) => number,
  width: (mark: T) => number,
  important: (mark: T) => number,
  left: number,
  right: number,
): Placed<T>[] {
  const taken: [number, number][] = [];
  const free = (a: number, b: number) => a >= left && b <= right && taken.every(([c, d]) => b < c || a > d);
  return [...marks]
    .sort((a, b) => important(b) - important(a) || x(b) - x(a))
    .map((mark) => {
      const at = x(mark);
      const wide = width(mark);
      if (free(at - 6 - wide, at)) {
        taken.push([at - 6 - wide, at]);
        return { mark, x: at, label: { x: at - 4, align: 'right' as const } };
      }
      if (free(at, at + 6 + wide)) {
        taken.push([at, at + 6 + wide]);
        return { mark, x: at, label: { x: at + 4, align: 'left' as const } };
      }
      return { mark, x: at, label: undefined };
    });
}

/** A sparkline's path in a box: x over the whole width, y from zero to `top`. */
export function sparkPaths(
  values: readonly (number | null | undefined)[],
  top: number,
  width: number,
  height: number,
): { line: string; area: string } {
  const last = Math.max(1, values.length - 1);
  const x = (index: number) => round((index / last) * width);
  const y = (value: number) => round(height - 1 - (Math.min(value, top) / top) * (height - 2.5));
  let line = '';
  let area = '';
  for (const [a, b] of runsOf(values)) {
    const points = values.slice(a, b + 1).map((value, index) => `${x(a + index)} ${y(value as number)}`);
    // One bucket alone is a short stroke, not nothing.
    if (a === b) points.push(`${round(Math.min(width, x(a) + 2))} ${y(values[a] as number)}`);
    line += `M${points.join('L')}`;
    area += `M${points.join('L')}L${a === b ? round(Math.min(width, x(a) + 2)) : x(b)} ${height}L${x(a)} ${height}Z`;
  }
  return { line, area };
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}

/** What a sparkline is drawn against: never less than the floor, so that noise looks like noise. */
export function sparkTop(values: readonly (number | null | undefined)[], floor: number): number {
  let most = floor;
  for (const value of values) if (value !== null && value !== undefined && value > most) most = value;
  return most > 0 ? most : 1;
}

/** Errors' share of requests a bucket; no requests: no share. */
export function shares(parts: readonly number[], wholes: readonly number[]): (number | null)[] {
  return wholes.map((whole, index) => (whole > 0 ? (parts[index] ?? 0) / whole : null));
}
