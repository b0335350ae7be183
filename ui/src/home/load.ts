// What Home asks beside the overview: for whom, by what, what all of it has in common; and what is new in the logs.
import { runQuery } from '../api/client.ts';
import type { DifferRow, Finding, Overview, PatternRow } from '../api/overview.ts';
import { parseInstant } from '../format/time.ts';
import { entryQuery } from '../query/services.ts';
import { term, writeValue } from '../query/write.ts';
import { scoped } from '../state/scope.ts';

interface Span {
  from: number;
  to: number;
}

/** A difference, and the spans that it was found among. */
export interface Difference extends DifferRow {
  among: string;
}

export interface Details {
  users: number | undefined;
  cause: { type: string; share: number; query: string } | undefined;
  common: Difference[];
  /** The same in full; undefined: not known. */
  differ: Difference[] | undefined;
}

/** The queries behind the second line; shown at the foot of the page too. */
export function detailQueries(finding: Finding): { users: string; cause: string; names: string } | undefined {
  if (!finding.query || !finding.service) return undefined;
  const failed = `spans ${term('service', finding.service)} status=error`;
  return {
    users: scoped(`${finding.query} | stats uniq(user) as users`),
    cause: scoped(`${failed} event.exception.type:* | stats count() as n by event.exception.type | sort n desc`),
    names: scoped(`${failed} | stats count() as n by name | sort n desc | limit ${NAMES}`),
  };
}

/** Of so many operations that fail it is asked what sets them apart: the request itself, and what it is made of. */
const NAMES = 4;

/** Spans of one operation: those that are bad against its others. */
export function differQueries(finding: Finding, names: readonly string[]): { among: string; query: string }[] {
  const service = finding.service ?? '';
  if (finding.state === 'slow') {
    const slow = /duration>=?\S+/.exec(finding.query ?? '')?.[0];
    return slow ? [{ among: entryQuery(service), query: scoped(`${entryQuery(service)} | differ ${slow}`) }] : [];
  }
  return names.slice(0, NAMES).map((name) => {
    const among = `spans ${term('service', service)} ${term('name', name)}`;
    return { among, query: scoped(`${among} | differ status=error`) };
  });
}

export async function loadDetails(overview: Overview, range: Span, abort: AbortSignal): Promise<Details | undefined> {
  const { finding } = overview;
  const queries = detailQueries(finding);
  if (!queries) return undefined;
  const from = finding.since ? Math.max(range.from, parseInstant(finding.since).ms) : range.from;
  const span = { from, to: range.to };
  // A part that is not answered is left out: the conclusion stands without it.
  const ask = <T>(query: string, limit: number) => runQuery<T>(query, span, limit, abort).catch(() => undefined);
  const failing = finding.state === 'failing';
  const [users, cause, differ] = await Promise.all([
    ask<{ users: number }>(queries.users, 1),
    failing ? ask<CauseRow>(queries.cause, 20) : undefined,
    (async () => {
      const names = failing ? await ask<{ name?: string }>(queries.names, NAMES) : undefined;
      const list = differQueries(finding, names?.rows.flatMap((row) => row.name ?? []) ?? []);
      const answers = await Promise.all(list.map(({ query }) => ask<DifferRow>(query, 50)));
      if (answers.every((answer) => !answer)) return undefined;
      return merged(list.map(({ among }, index) => ({ among, rows: answers[index]?.rows ?? [] })));
    })(),
  ]);
  return {
    users: users?.rows[0]?.users,
    cause: cause && topCause(cause.rows, finding),
    common: inCommon(differ ?? []),
    differ,
  };
}

interface CauseRow {
  n: number;
  'event.exception.type'?: string | string[];
}

/** What most of the failing spans threw. */
export function topCause(rows: CauseRow[], finding: Finding): Details['cause'] {
  const all = rows.reduce((sum, row) => sum + row.n, 0);
  const top = rows[0];
  const thrown = top?.['event.exception.type'];
  const type = Array.isArray(thrown) ? thrown[0] : thrown;
  if (!top || !type || top.n / all < 0.5) return undefined;
  const query = `spans ${term('service', finding.service ?? '')} status=error event.exception.type=${writeValue(type)}`;
  return { type: type.split('.').at(-1) ?? type, share: top.n / all, query };
}

/** Names that say again that it failed, how long it took, or which one it was. */
const TELLS_NOTHING =
  /^(status|message|name|kind|parent|root|self|duration|time|received|id|trace|span|flags|dropped|tracestate|host|instance|user)$|status_?code|^(event|link|error|exception|otel|process|thread|telemetry|network|client|server|service|user_agent)\b|(^|\.)(port|pid)$/;

/** Differences that are sure, and more than another word for the failure; each once, the surest first. */
export function merged(found: { among: string; rows: DifferRow[] }[]): Difference[] {
  const best = new Map<string, Difference>();
  for (const { among, rows } of found) {
    for (const row of rows) {
      if (row.score <= 0 || TELLS_NOTHING.test(row.field.replace(/^(attr|resource)\./, ''))) continue;
      const key = `${row.field} ${JSON.stringify(row.value)}`;
      if ((best.get(key)?.score ?? 0) < row.score) best.set(key, { ...row, among });
    }
  }
  return [...best.values()].sort((a, b) => b.score - a.score);
}

/** What nearly all failing requests have and few others do. */
export function inCommon(rows: Difference[]): Difference[] {
  return rows.filter((row) => row.in >= 0.8 && row.out <= row.in / 2).slice(0, 2);
}

export interface NewPattern {
  pattern: string;
  count: number;
  level: string | undefined;
  service: string | undefined;
  last: string | undefined;
  /** How many; the one is named. */
  services: number;
}

export interface NewLogs {
  rows: NewPattern[];
  /** Patterns that had been there before. */
  known: number;
}

export const PATTERNS_QUERY = 'logs level>=warn | patterns';
/** `patterns` counts the services; these are their names, the most frequent first. */
const NAMES_QUERY = 'logs level>=warn | stats values(service, 1) as names by pattern';
const PATTERNS = 1000;
const HOUR = 3_600_000;

/** Patterns of warnings and errors since `since` that the time before `well` did not have. */
export async function loadNewLogs(since: number, well: number, range: Span, abort: AbortSignal): Promise<NewLogs> {
  const query = scoped(PATTERNS_QUERY);
  const earlier = { from: Math.min(range.from, well - Math.max(HOUR, range.to - range.from)), to: well };
  const [now, before, named] = await Promise.all([
    runQuery<PatternRow>(query, { from: since, to: range.to }, PATTERNS, abort),
    runQuery<PatternRow>(query, earlier, PATTERNS, abort),
    runQuery<{ pattern: string; names?: string[] }>(scoped(NAMES_QUERY), { from: since, to: range.to }, PATTERNS, abort),
  ]);
  return newPatterns(now.rows, before.rows, new Map(named.rows.map((row) => [row.pattern, row.names?.[0]])));
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

export function newPatterns(now: PatternRow[], before: PatternRow[], services: ReadonlyMap<string, string | undefined>): NewLogs {
  const seen = new Set(before.map((row) => row.pattern));
  const fresh = now.filter((row) => !seen.has(row.pattern));
  const rows = fresh
    .map((row) => ({
      pattern: row.pattern,
      count: row.count,
      level: row.level,
      service: row.services === 1 ? services.get(row.pattern) : undefined,
      services: row.services ?? 0,
      last: row.last,
    }))
    .sort((a, b) => LEVELS.indexOf(b.level ?? '') - LEVELS.indexOf(a.level ?? '') || b.count - a.count);
  return { rows, known: now.length - fresh.length };
}
