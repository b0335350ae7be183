// Where one can jump to, for a text.
import { term } from '../query/write.ts';

export interface ServiceRow {
  service?: string;
  spans: number;
  errors: number;
}

export type Kind = 'trace' | 'span' | 'event' | 'issue' | 'service' | 'page' | 'command' | 'query';

export interface Target {
  kind: Kind;
  id: string;
  label: string;
  what: string;
  rows?: number;
}

export interface Known {
  services: ServiceRow[];
  pages: Target[];
  commands: Target[];
  /** Those whose titles have the text. */
  issues?: Target[];
  /** What was jumped to before, last first. */
  recent: Target[];
}

const MOST = 40;
const RECENT = 5;

/** 16 or 32 hex digits, dashes ignored, also out of a pasted traceparent. */
export function traceIdIn(text: string): string | undefined {
  const parent = /\b[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b/i.exec(text);
  if (parent?.[1]) return parent[1].toLowerCase();
  const bare = text.trim().replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(bare)) return bare;
  return /^[0-9a-f]{16}$/.test(bare) ? bare.padStart(32, '0') : undefined;
}

export function targetsFor(text: string, known: Known): Target[] {
  const id = traceIdIn(text);
  if (id) {
    const short = text.trim().replaceAll('-', '').toLowerCase();
    const trace: Target = { kind: 'trace', id, label: id, what: 'trace' };
    if (short.length === 16) return [{ kind: 'span', id: short, label: short, what: 'span' }, trace];
    return short.length === 32 ? [trace, { kind: 'event', id, label: id, what: 'error event' }] : [trace];
  }
  const wanted = text.trim().toLowerCase();
  if (/^(spans|logs|issues)\b./.test(wanted)) return [{ kind: 'query', id: text.trim(), label: text.trim(), what: 'query' }];
  const services = known.services.flatMap((row): Target[] =>
    row.service ? [{ kind: 'service', id: row.service, label: row.service, what: 'service', rows: row.spans }] : [],
  );
  if (!wanted) return [...known.recent.slice(0, RECENT), ...known.pages, ...services, ...known.commands].filter(firstOf).slice(0, MOST);
  const found = [...known.pages, ...services, ...known.commands, ...known.recent.filter((target) => target.kind === 'query')]
    .map((target) => ({ target, rank: rankOf(target.label.toLowerCase(), wanted) }))
    .filter((entry) => entry.rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map((entry) => entry.target);
  return [...issueCalled(text), ...found.slice(0, MOST), ...(known.issues ?? []), ...searches(text.trim())].filter(firstOf);
}

/** `SHOP-42`, whether there is one or not. */
function issueCalled(text: string): Target[] {
  const short = /^\s*([a-z0-9][a-z0-9_-]*-\d{1,9})\s*$/i.exec(text)?.[1]?.toUpperCase();
  return short ? [{ kind: 'issue', id: short, label: short, what: 'issue' }] : [];
}

/** What begins so, then what has a word that does, then the rest; -1: not in it. */
function rankOf(label: string, wanted: string): number {
  const at = label.indexOf(wanted);
  if (at <= 0) return at;
  return label.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)) ? 1 : 2;
}

/** Whatever the text is, records may contain it. */
function searches(text: string): Target[] {
  const words = `'${text.replaceAll("'", "''")}'`;
  return [
    { kind: 'query', id: `logs ${words}`, label: `Logs with “${text}”`, what: 'search' },
    { kind: 'query', id: `spans ${words}`, label: `Traces with “${text}”`, what: 'search' },
  ];
}

function firstOf(target: Target, index: number, list: Target[]): boolean {
  return list.findIndex((other) => other.kind === target.kind && other.id === target.id) === index;
}

/** The page and query that shows a service. */
export function serviceQuery(name: string): string {
  return `spans ${term('service', name)}`;
}

/** The list with one more jump at its head. */
export function remember(recent: Target[], target: Target): Target[] {
  if (target.kind === 'command') return recent;
  const { rows: _, ...kept } = target;
  return [kept, ...recent.filter((other) => other.kind !== target.kind || other.id !== target.id)].slice(0, 12);
}
