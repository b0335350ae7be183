// Rows to take along. They are read as they come and put aside in pieces, so that an export of many rows does not hold them all as
// objects; the end of the answer says whether there would have been more.
import { getText } from './client.ts';
import { LineSplitter } from './ndjson.ts';
import type { Stats, Value } from './types.ts';

export const EXPORT_ROWS = 100_000;
const PIECE = 1 << 20;

export type Format = 'csv' | 'ndjson';

/** Spreadsheets run a cell that begins like a formula: a quote before it keeps it text. */
export function csvCell(value: Value | undefined): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

type Row = { [name: string]: Value };

/** Columns are those of the answer's first rows: what a later row has beside them goes into its last column, `more`. */
export class CsvWriter {
  private columns: string[] | undefined;
  private early: Row[] = [];
  constructor(
    private readonly write: (text: string) => void,
    private readonly look = 500,
  ) {}

  push(row: Row): void {
    if (this.columns) this.line(row);
    else if (this.early.push(row) === this.look) this.begin();
  }

  end(): void {
    if (!this.columns) this.begin();
  }

  private begin(): void {
    const names = new Set<string>();
    for (const row of this.early) for (const name of Object.keys(row)) names.add(name);
    this.columns = [...names];
    this.write(`${[...this.columns, 'more'].map(csvCell).join(',')}\r\n`);
    for (const row of this.early) this.line(row);
    this.early = [];
  }

  private line(row: Row): void {
    const columns = this.columns ?? [];
    const rest = Object.keys(row).filter((name) => !columns.includes(name));
    const more = rest.length > 0 ? JSON.stringify(Object.fromEntries(rest.map((name) => [name, row[name]]))) : undefined;
    this.write(`${[...columns.map((name) => csvCell(row[name])), more === undefined ? '' : csvCell(more)].join(',')}\r\n`);
  }
}

/** Objects become columns of their own: attr.http.route. */
export function flat(row: Row): Row {
  const out: Row = {};
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) out[`${name}.${key}`] = inner;
    } else out[name] = value;
  }
  return out;
}

export interface Exported {
  blob: Blob;
  rows: number;
  more: boolean;
}

export async function exportRows(
  query: string,
  range: { from: number; to: number },
  format: Format,
  abort: AbortSignal,
): Promise<Exported> {
  // Pieces as blobs: the browser may keep those on disk.
  const pieces: Blob[] = [];
  let text = '';
  let rows = 0;
  let stats: Stats | undefined;
  const write = (more: string) => {
    text += more;
    if (text.length < PIECE) return;
    pieces.push(new Blob([text]));
    text = '';
  };
  const csv = new CsvWriter(write);
  const splitter = new LineSplitter((line) => {
    if (line.startsWith('{"_')) {
      const end = JSON.parse(line) as { _stats?: Stats; _error?: { message?: string } };
      if (end._error) throw new Error(end._error.message ?? 'the query failed');
      stats = end._stats;
      return;
    }
    rows++;
    if (format === 'csv') csv.push(flat(JSON.parse(line) as Row));
    else write(`${line}\n`);
  });
  await getText(query, range, EXPORT_ROWS, abort, (part) => splitter.push(part));
  splitter.end();
  if (format === 'csv') csv.end();
  pieces.push(new Blob([text]));
  if (!stats) throw new Error('The answer was cut off before its end.');
  return { blob: new Blob(pieces, { type: format === 'csv' ? 'text/csv' : 'application/x-ndjson' }), rows, more: stats.more === true };
}
