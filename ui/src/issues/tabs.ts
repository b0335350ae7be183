// The tabs of the inbox: each is a query, and the query decides which tab is chosen.

import type { Counts } from '../api/issues.ts';
import { lex } from '../query/lex.ts';
import { addTerm, splitSteps, term } from '../query/write.ts';

export type TabId = keyof Counts;

export interface IssueTab {
  id: TabId;
  label: string;
  query: (me: string) => string;
}

const OPEN = 'state=(new, ongoing, escalating, regressed)';

export const TABS: IssueTab[] = [
  { id: 'review', label: 'For review', query: () => 'issues state=(new, regressed, escalating)' },
  { id: 'unresolved', label: 'Unresolved', query: () => `issues ${OPEN}` },
  { id: 'mine', label: 'Mine', query: (me) => `issues ${OPEN} ${term('assignee', me)}` },
  { id: 'regressed', label: 'Regressed', query: () => 'issues state=regressed' },
  { id: 'archived', label: 'Archived', query: () => 'issues state=archived' },
  { id: 'resolved', label: 'Resolved', query: () => 'issues state=resolved' },
];

/** Tokens in one writing, so that spaces and the order of terms do not matter. */
function terms(query: string): string[] {
  const list: string[] = [];
  let depth = 0;
  let word = '';
  const { filter, steps } = splitSteps(query);
  for (const token of lex(filter)) {
    if (token.kind === 'source') continue;
    if (depth === 0 && token.kind === 'field' && word) {
      list.push(word);
      word = '';
    }
    if (token.text === '(') depth++;
    if (token.text === ')') depth--;
    word += token.kind === 'keyword' || token.kind === 'text' ? ` ${token.text} ` : token.text;
  }
  if (word) list.push(word);
  return [...list.map((one) => one.trim()).sort(), ...(steps ? [steps] : [])];
}

/** The tab that this query is, or is a narrower form of; the narrowest wins. */
export function tabOf(query: string, me: string): TabId | undefined {
  const written = new Set(terms(query));
  let best: { id: TabId; size: number } | undefined;
  for (const tab of TABS) {
    const own = terms(tab.query(me));
    if (own.every((one) => written.has(one)) && own.length > (best?.size ?? 0)) best = { id: tab.id, size: own.length };
  }
  return best?.id;
}

/** The query of another tab, with what the reader had added to this one. */
export function switchTab(query: string, to: IssueTab, me: string): string {
  const from = TABS.find((tab) => tab.id === tabOf(query, me));
  const own = new Set(from ? terms(from.query(me)) : []);
  const extra = terms(query).filter((one) => !own.has(one) && !/^(state|assignee)[=!]/.test(one));
  return extra.reduce(addTerm, to.query(me));
}

export const SORTS = [
  ['priority', 'priority'],
  ['last', 'last seen'],
  ['first', 'newest'],
  ['events', 'events'],
  ['users', 'users'],
  ['trend', 'trend'],
] as const;
export type Sort = (typeof SORTS)[number][0];
