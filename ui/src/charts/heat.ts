// The duration heat map's numbers: log cells of duration over intervals of time, counted by the server.
import { parseInstant } from '../format/time.ts';
import { splitSteps } from '../query/write.ts';

/** Cells a factor of ten. */
export const CELLS_A_DECADE = 11;
const PER_LN = CELLS_A_DECADE / Math.LN10;
const MICRO = 1000;

const STEPS_MS = [1, 2, 5, 10, 15, 30]
  .map((n) => n * 1000)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * 60_000))
  .concat(
    [1, 2, 3, 6, 12].map((n) => n * 3_600_000),
    86_400_000,
    7 * 86_400_000,
  );

/** Width of a column for at most 120 of them. */
export function columnStep(rangeMs: number): number {
  return STEPS_MS.find((step) => rangeMs / step <= 120) ?? 7 * 86_400_000;
}

export function durationLiteral(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;
}

/** Row of a duration in ns, and back. */
export const rowOf = (ns: number) => Math.floor(Math.log(Math.max(ns, MICRO) / MICRO) * PER_LN);
export const durationOf = (row: number) => Math.exp(row / PER_LN) * MICRO;

export function heatQuery(query: string, stepMs: number): string {
  const { filter } = splitSteps(query);
  return (
    `${filter} | let y = floor(log(max(duration, 1us) / 1us) * ${PER_LN.toFixed(6)}) | bucket ${durationLiteral(stepMs)}` +
    ' | stats count() as n, count() if (status=error) as bad by bucket, y'
  );
}

export interface HeatRow {
  bucket: string;
  y: number;
  n: number;
  bad: number;
}

export interface HeatCell {
  column: number;
  row: number;
  n: number;
}

export interface Heat {
  /** ms; column 0 begins here, which may be before the range. */
  begin: number;
  step: number;
  columns: number;
  /** Rows shown: whole decades around what there is. */
  low: number;
  high: number;
  cells: HeatCell[];
  errors: number[];
  most: number;
  total: number;
  bad: number;
  /** Share of the middle of all in ns, for the sentence. */
  middle: [number, number];
}

export function heatOf(rows: HeatRow[], range: { from: number; to: number }, step: number): Heat {
  const begin = Math.floor(range.from / step) * step;
  const columns = Math.max(1, Math.ceil((range.to - begin) / step));
  const cells: HeatCell[] = [];
  const errors = new Array<number>(columns).fill(0);
  const byRow = new Map<number, number>();
  let most = 0;
  let total = 0;
  let bad = 0;
  for (const row of rows) {
    const column = Math.round((parseInstant(row.bucket).ms - begin) / step);
    if (column < 0 || column >= columns) continue;
    cells.push({ column, row: row.y, n: row.n });
    errors[column] = (errors[column] ?? 0) + row.bad;
    byRow.set(row.y, (byRow.get(row.y) ?? 0) + row.n);
    most = Math.max(most, row.n);
    total += row.n;
    bad += row.bad;
  }
  const used = [...byRow.keys()].sort((a, b) => a - b);
  const low = decadeBelow(used[0] ?? rowOf(10e6));
  const high = Math.max(decadeBelow(used.at(-1) ?? rowOf(1e9)) + CELLS_A_DECADE, low + 2 * CELLS_A_DECADE);
  return {
    begin,
    step,
    columns,
    low,
    high,
    cells,
    errors,
    most,
    total,
    bad,
    middle: [quantile(byRow, total, 0.05), quantile(byRow, total, 0.95)],
  };
}

function decadeBelow(row: number): number {
  return Math.floor(row / CELLS_A_DECADE) * CELLS_A_DECADE;
}

function quantile(byRow: Map<number, number>, total: number, q: number): number {
  let seen = 0;
  for (const [row, n] of [...byRow].sort((a, b) => a[0] - b[0])) {
    seen += n;
    if (seen >= total * q) return durationOf(row + 0.5);
  }
  return 0;
}

/** A row a column that has spans, newest first. Durations are the upper ends of their cells. */
export function heatTable(heat: Heat): { at: number; n: number; errors: number; half: number; slowest: number }[] {
  const by = new Map<number, HeatCell[]>();
  for (const cell of heat.cells) by.set(cell.column, [...(by.get(cell.column) ?? []), cell]);
  return [...by]
    .sort((a, b) => b[0] - a[0])
    .map(([column, cells]) => {
      const sorted = cells.sort((a, b) => a.row - b.row);
      const n = sorted.reduce((sum, cell) => sum + cell.n, 0);
      let seen = 0;
      const half = sorted.find((cell) => {
        seen += cell.n;
        return seen >= n / 2;
      });
      const top = (cell: HeatCell | undefined) => (cell ? durationOf(cell.row + 1) : 0);
      return { at: heat.begin + column * heat.step, n, errors: heat.errors[column] ?? 0, half: top(half), slowest: top(sorted.at(-1)) };
    });
}

/** What the reader boxed in: times in ms, durations in ns; both ends included in spirit, the upper one open. */
export interface Pick {
  from: number;
  to: number;
  least: number;
  most: number;
}

export function pickText(pick: Pick): string {
  return [pick.from, pick.to, Math.round(pick.least), Math.round(pick.most)].join('-');
}

export function parsePick(text: string | undefined): Pick | undefined {
  const parts = (text ?? '').split('-').map(Number);
  const [from, to, least, most] = parts;
  if (parts.length !== 4 || parts.some((n) => !Number.isFinite(n))) return undefined;
  if (from === undefined || to === undefined || least === undefined || most === undefined || from >= to || least >= most) return undefined;
  return { from, to, least, most };
}

/** The terms that a box adds to a filter. */
export function pickTerms(pick: Pick): string {
  const time = (ms: number) => new Date(ms).toISOString();
  const ns = (n: number) => `${Math.round(n)}ns`;
  return `time>=${time(pick.from)} time<${time(pick.to)} duration>=${ns(pick.least)} duration<${ns(pick.most)}`;
}
