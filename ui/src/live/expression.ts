// The expression language, as far as the editor needs it: colours, and what completes a name at the cursor.
import type { Variable } from '../api/probes.ts';
import type { Captured } from '../api/snapshots.ts';

export interface Spot {
  from: number;
  to: number;
  prefix: string;
}

export interface Choice {
  insert: string;
  what: string;
  /** How far the cursor goes back from the end of what is put in. */
  back?: number;
}

const FUNCTIONS: [string, string][] = [
  ['len()', 'characters, elements, keys'],
  ['empty()', 'length 0, or null'],
  ['has()', 'it is there'],
  ['type()', 'name of its type'],
  ['str()', 'as text'],
  ['int()', 'as a whole number'],
  ['lower()', 'A-Z in small letters'],
  ['starts(, "")', 'a text begins so'],
  ['ends(, "")', 'a text ends so'],
  ['contains(, )', 'holds it'],
  ['hex()', 'in hexadecimal'],
  ['any(, x => )', 'for one of them'],
  ['all(, x => )', 'for all of them'],
  ['count()', 'how many'],
  ['filter(, x => )', 'those for which'],
  ['map(, x => )', 'of each'],
  ['min()', 'the least'],
  ['max()', 'the greatest'],
  ['keys()', 'of a dictionary or object'],
  ['changed()', 'differs from the hit before'],
];

const SPECIALS: [string, string][] = [
  ['@hit', 'how often the place was reached'],
  ['@duration', 'at an exit: time since entry'],
  ['@return', 'at an exit: what it returns'],
  ['@exception', 'what was thrown'],
  ['@thread', 'name of the thread'],
  ['@trace.id', 'trace that it runs in'],
  ['@span.id', 'span that it runs in'],
  ['@service', 'name of the service'],
  ['@host', 'name of the host'],
];

/** Is the cursor behind an odd number of quotes? */
function inText(text: string): boolean {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quote) {
      if (c === '\\' && quote === '"') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
  }
  return quote !== '';
}

/** Where a name is written; undefined: nothing to complete there. In a template only between braces. */
export function spotAt(text: string, cursor: number, template: boolean): Spot | undefined {
  let before = text.slice(0, cursor);
  if (template) {
    const open = before.lastIndexOf('{');
    if (open < 0 || before.lastIndexOf('}') > open) return undefined;
    before = before.slice(open + 1);
  }
  if (inText(before)) return undefined;
  const prefix = /@?[\p{L}_][\p{L}\p{N}_.]*$|@$/u.exec(before)?.[0] ?? '';
  // A field of something: only the process knows those.
  if (!prefix.startsWith('@') && prefix.includes('.')) return undefined;
  const behind = before.slice(0, before.length - prefix.length).trimEnd();
  if (/\?\.$|\.$|->$/.test(behind)) return undefined;
  // Behind a whole value an operator comes, no name.
  if (prefix === '' && /[\p{L}\p{N}_"')\]`]$/u.test(behind) && !/\b(?:and|or|not|in|matches)$/.test(behind)) return undefined;
  return { from: cursor - prefix.length, to: cursor, prefix };
}

const MOST = 12;

export function choicesFor(spot: Spot, variables: readonly Variable[]): Choice[] {
  const all: Choice[] = [
    ...variables.map(({ name, kind, type }) => ({ insert: name, what: [kind, type].filter(Boolean).join(', ') })),
    ...FUNCTIONS.map(([insert, what]) => ({ insert, what, back: insert.length - insert.indexOf('(') - 1 })),
    ...SPECIALS.map(([insert, what]) => ({ insert, what })),
  ];
  const wanted = spot.prefix.toLowerCase();
  // Nothing written yet: the variables are what one wants to see.
  if (wanted === '') return all.slice(0, Math.min(MOST, variables.length));
  return all.filter(({ insert }) => insert.toLowerCase().startsWith(wanted) && insert !== spot.prefix).slice(0, MOST);
}

export function insertChoice(text: string, spot: Spot, choice: Choice): { text: string; cursor: number } {
  const cursor = spot.from + choice.insert.length - (choice.back ?? 0);
  return { text: text.slice(0, spot.from) + choice.insert + text.slice(spot.to), cursor };
}

/** Names in a source text near a line, for runtimes that cannot say what is in scope: those of its function first. */
export function namesNear(lines: readonly string[], line: number): Variable[] {
  let from = line - 1;
  const indent = (text: string) => /^\s*/.exec(text)?.[0].length ?? 0;
  const own = indent(lines[line - 1] ?? '');
  while (from > 0 && !(/^\s*(?:async\s+)?(?:def|function)\b/.test(lines[from] ?? '') && indent(lines[from] ?? '') < Math.max(own, 1)))
    from--;
  const names = new Map<string, Variable>();
  const parameters = /\(([^)]*)\)/.exec(lines[from] ?? '')?.[1] ?? '';
  for (const part of parameters.split(',')) {
    const name = /^[*\s]*([A-Za-z_]\w*)/.exec(part)?.[1];
    if (name) names.set(name, { name, kind: 'argument' });
  }
  for (let at = from + 1; at < line - 1; at++) {
    const text = lines[at] ?? '';
    const set = /^\s*((?:[A-Za-z_]\w*\s*,\s*)*[A-Za-z_]\w*)\s*(?::[^=]+)?=[^=]/.exec(text)?.[1] ?? /^\s*for\s+(.+?)\s+in\b/.exec(text)?.[1];
    for (const name of set?.split(',') ?? []) {
      const plain = name.trim();
      if (/^[A-Za-z_]\w*$/.test(plain) && !names.has(plain)) names.set(plain, { name: plain, kind: 'local' });
    }
  }
  return [...names.values()];
}

export type Tone = '' | 'kw' | 'st' | 'nu' | 'fn' | 'ty' | 'd3';

const TOKEN =
  /("(?:[^"\\]|\\.)*"?|'[^']*'?)|(\d[\w.]*)|(@[A-Za-z.]*)|([\p{L}_][\p{L}\p{N}_]*)(?=\s*\()|(\b(?:and|or|not|in|matches|true|false|null|True|False|None|undefined|nil)\b)|([\p{L}_][\p{L}\p{N}_]*)|([^\s\p{L}\p{N}_@"']+)/gu;
const TONES: Tone[] = ['st', 'nu', 'ty', 'fn', 'kw', '', 'd3'];

/** Pieces of a text in their colours; all of it, spaces too. */
export function paint(text: string, template: boolean): { tone: Tone; text: string; from: number }[] {
  const pieces: { tone: Tone; text: string; from: number }[] = [];
  const expression = (from: number, to: number) => {
    let last = from;
    for (const match of text.slice(from, to).matchAll(TOKEN)) {
      const at = from + (match.index ?? 0);
      if (at > last) pieces.push({ tone: '', text: text.slice(last, at), from: last });
      const kind = match.slice(1).findIndex((group) => group !== undefined);
      pieces.push({ tone: TONES[kind] ?? '', text: match[0], from: at });
      last = at + match[0].length;
    }
    if (last < to) pieces.push({ tone: '', text: text.slice(last, to), from: last });
  };
  if (!template) {
    expression(0, text.length);
    return pieces;
  }
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{', at);
    const end = open < 0 ? text.length : open;
    if (end > at) pieces.push({ tone: 'st', text: text.slice(at, end), from: at });
    if (open < 0) break;
    const close = text.indexOf('}', open);
    const to = close < 0 ? text.length : close;
    pieces.push({ tone: 'd3', text: '{', from: open });
    expression(open + 1, to);
    if (close >= 0) pieces.push({ tone: 'd3', text: '}', from: close });
    at = to + 1;
  }
  return pieces;
}

/** What holds of the value as it was seen: the same scalar; of anything else that it is there. */
export function conditionOf(expression: string, value: Captured | undefined): string {
  if (value?.k === 'null') return `${expression} == null`;
  if (value?.v !== undefined && value.cut === undefined) {
    if (value.k === 'str') return `${expression} == ${quoted(String(value.v))}`;
    if (value.k === 'int' || value.k === 'bool' || (value.k === 'float' && typeof value.v === 'number'))
      return `${expression} == ${value.v}`;
  }
  if (value?.k === 'str' && value.v !== undefined) return `starts(${expression}, ${quoted(String(value.v))})`;
  return `has(${expression})`;
}

function quoted(text: string): string {
  const escaped = [...text].map((c) => {
    if (c === '"' || c === '\\') return `\\${c}`;
    if (c === '\n') return '\\n';
    if (c === '\r') return '\\r';
    if (c === '\t') return '\\t';
    return c < ' ' ? `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}` : c;
  });
  return `"${escaped.join('')}"`;
}
