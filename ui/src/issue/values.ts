// Values as they are shown: in one line, and why one is not there.
import type { Bag } from '../api/event.ts';

export type Shown = Bag[string];

export const isTree = (value: Shown | undefined): value is Exclude<Shown, string | number | boolean | null> =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** Python sends what `repr` says; other SDKs send strings as they are. */
export function textOf(value: Shown, repr: boolean): string {
  if (typeof value === 'string') return repr ? value : JSON.stringify(value);
  if (value === null) return repr ? 'None' : 'null';
  return typeof value === 'object' ? summary(value, repr) : String(value);
}

const MOST = 160;

/** `{code: "AUTUMN-15", kind: "percent"}`, cut. */
export function summary(value: object, repr: boolean): string {
  const list = Array.isArray(value);
  let text = list ? '[' : '{';
  let first = true;
  for (const [name, inner] of Object.entries(value as Bag)) {
    if (!first) text += ', ';
    first = false;
    text += `${list ? '' : `${name}: `}${typeof inner === 'object' && inner !== null ? (Array.isArray(inner) ? '[…]' : '{…}') : textOf(inner, repr)}`;
    if (text.length > MOST) return `${text.slice(0, MOST)}…`;
  }
  return text + (list ? ']' : '}');
}

export interface Scrub {
  path: string;
  rule?: string;
}

const FILTERED = /^['"]?\[(Filtered|Scrubbed|redacted)\]['"]?$/i;

/** Why a value is not there; undefined: it is. `path` is where it stands, as far as it is known. */
export function whyMissing(value: Shown, path: string, scrubbed: readonly Scrub[]): string | undefined {
  const rule = scrubbed.find((one) => one.path === path || one.path.endsWith(`.${path}`))?.rule;
  if (rule && (value === null || value === '')) return `scrubbed: rule “${rule}”`;
  if (typeof value !== 'string') return undefined;
  if (value === '') return 'empty';
  if (FILTERED.test(value)) {
    return rule ? `scrubbed: rule “${rule}”` : /filtered/i.test(value) ? 'scrubbed before it was stored' : 'scrubbed by the SDK';
  }
  if (/^<(object|array|function|unknown|truncated|circular)>$/i.test(value)) return `${value.slice(1, -1)}, deeper than the SDK sends`;
  return undefined;
}

/** How a program would name it: a member, an element. */
export function pathTo(parent: string, name: string, list: boolean): string {
  if (list || /^\d+$/.test(name)) return `${parent}[${name}]`;
  const bare = name.replace(/^'(.*)'$/, '$1');
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(bare) ? `${parent}.${bare}` : `${parent}[${JSON.stringify(bare)}]`;
}
