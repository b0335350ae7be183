// What the events of an issue have in common, out of the most frequent values of their fields.
import type { Value } from '../api/types.ts';

export interface FacetRow {
  field: string;
  value: Value;
  count: number;
  share: number;
}

export interface Common {
  field: string;
  top: FacetRow;
  values: FacetRow[];
}

export function commonQuery(issue: number): string {
  return `events issue=${issue} | facets 8`;
}

/** What the issue is already known by, or every event has of its own. */
const TELLS_NOTHING =
  /^(source|project|issue|group|event_id|id|title|type|message|culprit|level|handled|platform|sdk\.name|mechanism|scrubbed|text|pattern|trace|span|replay|user(\..*)?|scope\..*|telemetry\..*|time|received|stack\..*|vars(\..*)?|service|service\..*|extra\..*|contexts\.trace\..*)$/;
const FIRST = ['release', 'environment', 'transaction'];
const LATE = /^(contexts\.|runtime|server_name|host|os|process|instance)/;

/** Each field with its values, the most frequent first; what nearly all share stands at the top, after where it runs. */
export function commonOf(rows: readonly FacetRow[]): Common[] {
  const by = new Map<string, FacetRow[]>();
  for (const row of rows) {
    const field = row.field.replace(/^(attr|resource)\./, '');
    if (TELLS_NOTHING.test(field)) continue;
    const list = by.get(field);
    if (list) list.push({ ...row, field });
    else by.set(field, [{ ...row, field }]);
  }
  const rank = (field: string) => (FIRST.includes(field) ? 1 : LATE.test(field) ? 2 : 0);
  return [...by]
    .map(([field, values]) => ({ field, values: values.sort((a, b) => b.count - a.count) }))
    .flatMap(({ field, values }) => (values[0] ? [{ field, values, top: values[0] }] : []))
    .sort((a, b) => rank(a.field) - rank(b.field) || b.top.share - a.top.share || a.field.localeCompare(b.field));
}
