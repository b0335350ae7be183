// Captured values as they are read: in one line, with what they hold, how an expression names that, and why something is not there.
import type { Captured, Why } from '../api/snapshots.ts';
import { bytes, count, plural } from '../format/number.ts';
import { safeText } from '../logs/text.ts';

/** One that holds others. */
export const holds = (value: Captured): boolean => childrenOf(value).length > 0 || missed(value) > 0 || value.cut !== undefined;

interface Child {
  name: string;
  value: Captured;
  /** What an expression writes behind the holder to get it; undefined: it cannot name it. */
  step: string | undefined;
}

const IDENTIFIER = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

/** `x`, or in back quotes where it is no word. */
export const nameStep = (name: string): string => (IDENTIFIER.test(name) ? name : `\`${name}\``);

export function childrenOf(value: Captured): Child[] {
  if (value.i) {
    // A set has no places, so no expression names one of it.
    const named = value.k !== 'set';
    return value.i.map((one, at) => ({ name: named ? `[${at}]` : '·', value: one, step: named ? `[${at}]` : undefined }));
  }
  if (value.e) return value.e.map(([key, one]) => ({ name: keyText(key), value: one, step: keyStep(key) }));
  if (value.f) return value.f.map(([name, one]) => ({ name, value: one, step: `.${nameStep(name)}` }));
  return [];
}

const keyText = (key: Captured): string => (key.k === 'str' && key.v !== undefined ? JSON.stringify(key.v) : oneLine(key));

function keyStep(key: Captured): string | undefined {
  if (key.cut || key.v === undefined) return undefined;
  if (key.k === 'str') return `[${expressionText(String(key.v))}]`;
  return key.k === 'int' || key.k === 'bool' ? `[${key.v}]` : undefined;
}

/** A text as the expression language writes it. */
export function expressionText(text: string): string {
  const escaped = text
    .replace(/[\\"]/g, (c) => `\\${c}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
    .replace(/[\u0000-\u001f\u007f]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
  return `"${escaped}"`;
}

/** How many of it were left out. */
export function missed(value: Captured): number {
  if (value.n === undefined) return 0;
  const here = value.i?.length ?? value.e?.length ?? value.f?.length;
  return here === undefined ? 0 : Math.max(0, value.n - here);
}

const DIRECTLY = 160;

export const isPython = (file: string | undefined): boolean => /\.py[wx]?$/.test(file ?? '');

/** In one line, as a program would write it; what is long is cut. `python`: with None and True. */
export function oneLine(value: Captured, python = false, most = DIRECTLY): string {
  const [none, yes, no] = python ? ['None', 'True', 'False'] : ['null', 'true', 'false'];
  switch (value.k) {
    case 'null':
      return value.t === 'undefined' ? 'undefined' : none;
    case 'bool':
      return value.v === undefined ? shape(value) : value.v ? yes : no;
    case 'int':
    case 'float':
      return value.v === undefined ? shape(value) : String(value.v);
    case 'str':
      return value.v === undefined
        ? shape(value)
        : safeText(JSON.stringify(String(value.v)).replace(/"$/, value.cut ? '…"' : '"')).slice(0, Math.max(most, 40) * 4);
    case 'bytes':
      return value.v === undefined ? shape(value) : `${bytesText(String(value.v))}${value.cut ? '…' : ''}`;
    case 'func':
    case 'class':
    case 'module':
      return `${value.k === 'func' ? 'function' : value.k} ${safeText(String(value.v ?? value.t ?? ''))}`;
    case 'ref':
      return 'the same object';
    case 'missing':
      return whyText(value) ?? '';
    default:
      return summary(value, python, most);
  }
}

function shape(value: Captured): string {
  return value.n === undefined ? `${value.t ?? value.k}` : `${value.t ?? value.k}, ${count(value.n)} long`;
}

function bytesText(base64: string): string {
  let text: string;
  try {
    text = atob(base64);
  } catch {
    return base64;
  }
  const hex = [...text].slice(0, 24).map((c) => c.charCodeAt(0).toString(16).padStart(2, '0'));
  return `0x${hex.join('')}${text.length > 24 ? '…' : ''}`;
}

const BRACKETS: Record<string, string> = { list: '[]', tuple: '()', set: '{}', dict: '{}', object: '{}' };

/** `{sku: "AMPH-3", qty: 2}`: two levels of it, cut. */
function summary(value: Captured, python: boolean, most: number): string {
  const brackets = BRACKETS[value.k] ?? '{}';
  const children = childrenOf(value);
  let text = '';
  for (const child of children) {
    const inner = childrenOf(child.value);
    const shown =
      child.value.k === 'missing'
        ? '∅'
        : inner.length > 0
          ? `${BRACKETS[child.value.k]?.[0]}…${BRACKETS[child.value.k]?.[1]}`
          : oneLine(child.value, python, 40);
    const named = value.e || value.f ? `${safeText(value.f ? child.name : child.name.replace(/^"(.*)"$/, '$1'))}: ` : '';
    text += `${text ? ', ' : ''}${named}${shown}`;
    if (text.length > most) return `${brackets[0]}${text.slice(0, most)}…`;
  }
  return `${brackets[0]}${text}${missed(value) > 0 || value.cut ? `${text ? ', ' : ''}…` : ''}${brackets[1]}`;
}

/** What stands at the right: its type, and how much there was of it. */
export function typeText(value: Captured): string {
  const type = safeText(value.t ?? (value.k === 'missing' || value.k === 'ref' ? '' : value.k));
  if (value.k === 'str' && value.cut) return `${type}${value.n ? `, of ${bytes(value.n)}` : ', cut'}`;
  if (value.k === 'bytes' && value.n !== undefined) return `${type}, ${bytes(value.n)}`;
  const all = value.n ?? value.i?.length ?? value.e?.length;
  return all === undefined || value.k === 'object' ? type : `${type}, ${count(all)}`;
}

/** Why, in words, and what gets it the next time. */
export interface Reason {
  why: string;
  next?: string;
}

export function reasonOf(why: Why | undefined, rule?: string): Reason {
  switch (why) {
    case 'depth':
      return { why: 'deeper than the probe looks', next: 'raise its depth, or capture it as an expression' };
    case 'items':
      return { why: 'more items than the probe takes', next: 'raise its items, or capture one as an expression' };
    case 'fields':
      return { why: 'more fields than the probe takes', next: 'raise its items, or capture one as an expression' };
    case 'bytes':
      return { why: 'the snapshot was full', next: 'raise its bytes, or capture it as an expression: those come first' };
    case 'time':
      return { why: 'the time for one capture was over', next: 'a smaller depth reaches it in time, or capture it as an expression' };
    case 'redacted':
      return { why: `redacted on the host${rule ? `, rule “${rule}”` : ''}`, next: 'it never left the host' };
    case 'unreadable':
      return { why: 'cannot be read without running the program’s code', next: 'Clew never runs it: no getter, no repr' };
    case 'optimized_out':
      return { why: 'the compiler has optimised it away here' };
    case 'uninitialized':
      return { why: 'not assigned yet on this line', next: 'place the probe on a later line' };
    case 'not_in_scope':
      return { why: 'not in scope on this line' };
    case 'unsupported':
      return { why: 'a kind of value that is not read yet' };
    default:
      return { why: why ? String(why).replaceAll('_', ' ') : 'not captured' };
  }
}

export function whyText(value: Captured): string | undefined {
  return value.k === 'missing' ? reasonOf(value.why, value.rule).why : undefined;
}

/** What is said below the children of a value of which some are not here. */
export function restText(value: Captured): Reason | undefined {
  const left = missed(value);
  if (left === 0 && !value.cut) return undefined;
  if (value.k === 'str' || value.k === 'bytes') return undefined;
  const what = value.k === 'object' ? 'field' : value.e ? 'entry' : 'item';
  const { why, next } = reasonOf(value.cut ?? (value.k === 'object' ? 'fields' : 'items'));
  const many = what === 'entry' ? plural(left, 'more entry', 'more entries') : plural(left, `more ${what}`);
  return { why: left > 0 ? `${many}: ${why}` : `more of it: ${why}`, ...(next && { next }) };
}

/** The value itself, to be pasted: texts as they are, the rest as JSON. */
export function copyText(value: Captured): string {
  if (value.k === 'str' && value.v !== undefined) return String(value.v);
  if (childrenOf(value).length === 0) return value.k === 'missing' ? '' : oneLine(value, false, 1 << 16);
  return JSON.stringify(plain(value), null, 2);
}

function plain(value: Captured): unknown {
  if (value.k === 'null') return null;
  if (value.k === 'missing') return `<${whyText(value)}>`;
  if (value.k === 'ref') return `<the same object as #${value.v}>`;
  if (value.i) return value.i.map(plain);
  if (value.e) return Object.fromEntries(value.e.map(([key, one]) => [key.k === 'str' ? String(key.v) : oneLine(key), plain(one)]));
  if (value.f) return Object.fromEntries(value.f.map(([name, one]) => [name, plain(one)]));
  return value.v ?? oneLine(value);
}
