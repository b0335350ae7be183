// Writing queries: values in the form that needs no second thought, terms added to what the reader already wrote.
import type { Value } from '../api/types.ts';
import { lex } from './lex.ts';

const BARE = /^[^\s|(){},"'\\*#!]+$/;

/** Bare where that reads back as the same text, else the literal form in single quotes. */
export function writeValue(value: Value): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return BARE.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}

const PLAIN_SEGMENT = /^[\p{L}_][\p{L}\p{N}_\-/@$]*$/u;

/** A field's name, segments that need it in back quotes. */
export function writeField(name: string): string {
  const [first = '', ...rest] = name.split('.');
  const head = PLAIN_SEGMENT.test(first) ? first : `\`${first}\``;
  return [head, ...rest.map((segment) => (/^[\p{L}\p{N}_\-/@$]+$/u.test(segment) ? segment : `\`${segment}\``))].join('.');
}

/** Tokens that stand in no parentheses and no braces: those of a query inside are its own. */
function outer(query: string): ReturnType<typeof lex> {
  let depth = 0;
  return lex(query).filter((token) => {
    if (token.text === '(' || token.text === '{') depth++;
    if (token.text === ')' || token.text === '}') depth--;
    return depth === 0;
  });
}

/** Source with filter, and the steps after it. */
export function splitSteps(query: string): { filter: string; steps: string } {
  const pipe = outer(query).find((token) => token.kind === 'pipe');
  if (!pipe) return { filter: query.trim(), steps: '' };
  return { filter: query.slice(0, pipe.from).trim(), steps: query.slice(pipe.from).trim() };
}

/** `or` binds weaker than standing side by side: a filter with it needs parentheses before a term is added. */
function hasOr(filter: string): boolean {
  return outer(filter).some((token) => token.kind === 'keyword' && /^(or|\|\|)$/i.test(token.text));
}

/** The query with one more term that all rows must satisfy. A term that is there already is not added twice. */
export function addTerm(query: string, term: string): string {
  const { filter, steps } = splitSteps(query);
  const source = outer(filter)
    .filter((token) => token.kind === 'source')
    .at(-1);
  const head = source ? filter.slice(0, source.to) : filter;
  const body = source ? filter.slice(source.to).trim() : '';
  const whole = body && hasOr(body) ? `(${body})` : body;
  const present = ` ${whole} `.includes(` ${term} `);
  return [head, whole, present ? '' : term, steps].filter(Boolean).join(' ');
}

export function term(field: string, value: Value, not = false): string {
  return `${writeField(field)}${not ? '!=' : '='}${writeValue(value)}`;
}
