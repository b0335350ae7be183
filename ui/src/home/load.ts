// What Home asks beside the overview: for whom, by what, what all of it has in common; and what is new in the logs.
import { runQuery } from '../api/client.ts';
import type { DifferRow, Finding, Overview, PatternRow } from '../api/overview.ts';
import type { Value } from '../api/types.ts';
import { parseInstant } from '../format/time.ts';
import { entryQuery } from '../query/services.ts';
import { term } from '../query/write.ts';
import { scoped } from '../state/scope.ts';

interface Span {
  from: number;
  to: number;
}

export interface Details {
  users: number | undefined;
  cause: { type: string; share: number; query: string } | undefined;
  common: { field: string; value: Value; share: number }[];
  /** The same in full; undefined: not known. */
  differ: DifferRow[] | undefined;
}

/** The queries behind the second line; shown at the foot of the page too. */
export function detailQueries(finding: Finding): { users: string; cause: string; common: string } | undefined {
  if (!finding.query || !finding.service) return undefined;
  const failing = finding.state === 'failing';
  const bad = failing ? 'status=error' : (/duration>=?\S+/.exec(finding.query)?.[0] ?? 'status=error');
  return {
    users: scoped(`${finding.query} | stats uniq(user) as users`),
    cause: scoped(
      `spans ${term('service', finding.service)} status=error event.exception.type:* | stats count() as n by event.exception.type | sort n desc`,
    ),
    common: scoped(`${entryQuery(finding.service)} | differ ${bad}`),
  };
}

export async function loadDetails(overview: Overview, range: Span, abort: AbortSignal): Promise<Details | undefined> {
  const { finding } = overview;
  const queries = detailQueries(finding);
  if (!queries) return undefined;
  const from = finding.since ? Math.max(range.from, parseInstant(finding.since).ms) : range.from;
  const span = { from, to: range.to };
  const ask = <T>(query: string, limit: number) => runQuery<T>(query, span, limit, abort).catch(() => undefined);
  // A part that is not answered is left out: the conclusion stands without it.
  const [users, cause, common] = await Promise.all([
    ask<{ users: number }>(queries.users, 1),
    finding.state === 'failing' ? ask<{ n: number } & Record<string, Value>>(queries.cause, 20) : undefined,
    ask<DifferRow>(queries.common, 50),
  ]);
  return {
    users: users?.rows[0]?.users,
    cause: cause && topCause(cause.rows, finding),
    common: common ? inCommon(common.rows) : [],
    differ: common && telling(common.rows),
  };
}

function topCause(rows: ({ n: number } & Record<string, Value>)[], finding: Finding): Details['cause'] {
  const all = rows.reduce((sum, row) => sum + Number(row.n), 0);
  const top = rows[0];
  const type = top?.['event.exception.type'] ?? top?.['exception.type'];
  if (!top || typeof type !== 'string' || all === 0 || Number(top.n) / all < 0.5) return undefined;
  const query = `spans ${term('service', finding.service ?? '')} status=error event.exception.type=${type}`;
  return { type: type.split('.').at(-1) ?? type, share: Number(top.n) / all, query };
}

/** Names that say again that it failed, how long it took, or which one it was. */
const TELLS_NOTHING =
  /^(status|message|name|kind|parent|root|self|duration|time|received|id|trace|span|flags|dropped|tracestate|host|instance|user)$|status_?code|^(event|link|error|exception|otel|process|thread|telemetry|network|client|server|service|user_agent)\b|(^|\.)(port|pid)$/;

/** Differences that are sure, and more than another word for the failure. */
export function telling(rows: DifferRow[]): DifferRow[] {
  return rows.filter((row) => row.score > 0 && !TELLS_NOTHING.test(row.field.replace(/^(attr|resource)\./, '')));
}

/** What nearly all failing requests have and few others do. */
export function inCommon(rows: DifferRow[]): Details['common'] {
  return telling(rows)
    .filter((row) => row.in >= 0.8 && row.out <= row.in / 2)
    .slice(0, 2)
    .map((row) => ({ field: row.field, value: row.value, share: row.in }));
}

export interface NewPattern {
  pattern: string;
  count: number;
  level: string | undefined;
  service: string | undefined;
  last: string | undefined;
}

export interface NewLogs {
  rows: NewPattern[];
  /** Patterns that had been there before. */
  known: number;
}

export const PATTERNS_QUERY = 'logs level>=warn | patterns';
const PATTERNS = 1000;
const HOUR = 3_600_000;

/** Patterns of warnings and errors that the time before `since` did not have. */
export async function loadNewLogs(since: number, range: Span, abort: AbortSignal): Promise<NewLogs> {
  const query = scoped(PATTERNS_QUERY);
  const earlier = { from: Math.min(range.from, since - Math.max(HOUR, range.to - range.from)), to: since };
  const [now, before] = await Promise.all([
    runQuery<PatternRow>(query, { from: since, to: range.to }, PATTERNS, abort),
    runQuery<PatternRow>(query, earlier, PATTERNS, abort),
  ]);
  return newPatterns(now.rows, before.rows);
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

export function newPatterns(now: PatternRow[], before: PatternRow[]): NewLogs {
  const seen = new Set(before.map((row) => row.pattern));
  const fresh = now.filter((row) => !seen.has(row.pattern));
  const rows = fresh
    .map((row) => ({
      pattern: row.pattern,
      count: row.count,
      level: row.level,
      service: Array.isArray(row.services) ? row.services[0] : row.services,
      last: row.last,
    }))
    .sort((a, b) => LEVELS.indexOf(b.level ?? '') - LEVELS.indexOf(a.level ?? '') || b.count - a.count);
  return { rows, known: now.length - fresh.length };
}
