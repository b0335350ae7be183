// Where the records stand that a query or a firing is about.
import { splitSteps } from '../query/write.ts';
import { href } from '../state/route.ts';

const PAGE_OF: Record<string, string> = { spans: '/traces', logs: '/logs', issues: '/issues', metrics: '/explore/metrics' };

/** The page that shows a query's records; undefined for those that no page lists. */
export function recordsHref(query: string, from: number, to: number): string | undefined {
  const { filter } = splitSteps(query);
  const page = PAGE_OF[/^\w+/.exec(filter)?.[0] ?? ''];
  return page && href(page, { q: filter, from: String(Math.round(from)), to: String(Math.round(to)) });
}

/** A new rule about the issues of a view: its filter, and the project it is within. */
export function alertOn(query: string, project: string | undefined): string {
  const filter = splitSteps(query).filter.replace(/^issues\b\s*/, '');
  return href('/alerts/new', { filter, project });
}
