// What the open page asks the server: shown in the bar at the foot, copied as command lines.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { splitSteps } from '../query/write.ts';
import { param } from './route.ts';

export interface Ask {
  /** What the answer is on the page: "the rows", "durations". */
  what: string;
  query: string;
  /** Asked over a time of its own, not over the page's range. */
  range?: { from: number; to: number };
}

export const asks = signal<Ask[]>([]);

/** The page says what it asks: whole queries, scope included. */
export function useAsks(list: Ask[]): void {
  const key = list.map((ask) => `${ask.what}\n${ask.query}`).join('\n\n');
  useEffect(() => {
    asks.value = list;
    return () => {
      asks.value = [];
    };
  }, [key]);
}

/** One word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The range as the command line takes it; what moves with the clock goes on moving. */
export function rangeFlags(from: string | undefined, to: string | undefined, otherwise: string): string {
  const time = (epoch: string) => new Date(Number(epoch)).toISOString();
  if (from && to) return ` --from ${time(from)} --to ${time(to)}`;
  return ` --from ${from ?? otherwise}`;
}

export function commandLine(query: string, flags: string): string {
  return `clew query ${shellWord(query)}${flags}`;
}

const LISTS: Record<string, string> = { spans: '/traces', logs: '/logs', issues: '/issues' };

/** The page that lists the records which a query is about, with its filter in the bar. */
export function recordsOf(query: string): { page: string; query: string } | undefined {
  const { filter } = splitSteps(query);
  const page = LISTS[/^\w+/.exec(filter)?.[0] ?? ''];
  return page ? { page, query: filter } : undefined;
}

export function flagsOf(ask: Ask, otherwise: string): string {
  if (ask.range) return rangeFlags(String(ask.range.from), String(ask.range.to), otherwise);
  return rangeFlags(param('from'), param('to'), otherwise);
}
