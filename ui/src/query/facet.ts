// The values of one field that a query asks for or leaves out, read and rewritten: what a list of check boxes stands for.
import type { Value } from '../api/types.ts';
import { lex, type Token } from './lex.ts';
import { addTerm, splitSteps, writeField, writeValue } from './write.ts';

export interface Choice {
  only: string[];
  not: string[];
}

interface Found extends Choice {
  /** The query without these terms. */
  rest: string;
}

function unquoted(token: Token): string {
  const { text } = token;
  if (text.startsWith("'")) return text.slice(1, text.endsWith("'") ? -1 : undefined).replaceAll("''", "'");
  if (text.startsWith('"')) return text.slice(1, text.endsWith('"') ? -1 : undefined).replace(/\\(.)/g, '$1');
  return text;
}

/** Terms `field=value`, `field!=value` and lists of them, at the top of the filter; not where an `or` makes them something else. */
function find(query: string, field: string): Found {
  const name = writeField(field);
  const { filter, steps } = splitSteps(query);
  const tokens = lex(filter);
  const found: Found = { only: [], not: [], rest: query };
  const cuts: [number, number][] = [];
  let depth = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    if (token.text === '(' || token.text === '{') depth++;
    if (token.text === ')' || token.text === '}') depth--;
    if (depth === 0 && token.kind === 'keyword' && /^(or|\|\|)$/i.test(token.text)) return { only: [], not: [], rest: query };
    if (depth > 0 || token.kind !== 'field' || token.text !== name) continue;
    const before = tokens[i - 1];
    if (before?.kind === 'keyword' && /^(not|!)$/i.test(before.text)) continue;
    const op = tokens[i + 1]?.text;
    if (op !== '=' && op !== '==' && op !== '!=') continue;
    const list = op === '!=' ? found.not : found.only;
    let end = i + 2;
    if (tokens[end]?.text === '(') {
      for (end++; tokens[end] && tokens[end]?.text !== ')'; end++)
        if (tokens[end]?.kind !== 'punct') list.push(unquoted(tokens[end] as Token));
    } else if (tokens[end]) list.push(unquoted(tokens[end] as Token));
    cuts.push([token.from, tokens[Math.min(end, tokens.length - 1)]?.to ?? token.to]);
    i = end;
  }
  let rest = '';
  let at = 0;
  for (const [from, to] of cuts) {
    rest += filter.slice(at, from);
    at = to;
  }
  rest = `${rest}${filter.slice(at)}`.replace(/\s{2,}/g, ' ').trim();
  return { ...found, rest: cuts.length > 0 ? [rest, steps].filter(Boolean).join(' ') : query };
}

export function choiceOf(query: string, field: string): Choice {
  const { only, not } = find(query, field);
  return { only, not };
}

/** The query as it would be if nothing of this field were asked. */
export function without(query: string, field: string): string {
  return find(query, field).rest;
}

function list(field: string, op: string, values: readonly string[]): string {
  const written = values.map((value) => (/^-?\d+(\.\d+)?$/.test(value) ? value : writeValue(value)));
  return values.length === 1 ? `${writeField(field)}${op}${written[0]}` : `${writeField(field)}${op}(${written.join(', ')})`;
}

function write(query: string, field: string, { only, not }: Choice): string {
  let next = without(query, field);
  if (only.length > 0) next = addTerm(next, list(field, '=', only));
  if (not.length > 0) next = addTerm(next, list(field, '!=', not));
  return next;
}

const toggled = (values: readonly string[], value: string) =>
  values.includes(value) ? values.filter((one) => one !== value) : [...values, value];

/** Wants the value, or no longer. */
export function toggle(query: string, field: string, value: Value): string {
  const { only, not } = choiceOf(query, field);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return write(query, field, not.includes(text) ? { only, not: toggled(not, text) } : { only: toggled(only, text), not });
}

/** Leaves the value out, or no longer. */
export function exclude(query: string, field: string, value: Value): string {
  const { only, not } = choiceOf(query, field);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return write(query, field, { only: only.filter((one) => one !== text), not: toggled(not, text) });
}
