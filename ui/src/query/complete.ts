// What can stand at the cursor.
import type { FieldInfo, Value, ValueInfo } from '../api/types.ts';
import { lex, type Token } from './lex.ts';
import { writeValue } from './write.ts';

export interface Spot {
  kind: 'source' | 'field' | 'value' | 'step' | 'step-args' | 'nothing';
  /** What a choice replaces. */
  from: number;
  to: number;
  prefix: string;
  /** The field that a value belongs to. */
  field?: string;
  source: string;
}

export interface Choice {
  insert: string;
  /** Shown; the inserted text when absent. */
  label?: string;
  what?: string;
  rows?: number;
  /** Where the cursor stands after the insertion, from its end. */
  back?: number;
}

const BUILT = ['spans', 'logs', 'metrics', 'events', 'issues', 'checks'];
const SOURCE_WORDS: Record<string, string> = {
  spans: 'one row a span',
  logs: 'one row a log line',
  metrics: 'one row a data point',
  events: 'one row an error event',
  issues: 'one row an issue, as it is now',
  checks: 'runs of monitors, and those that did not come',
};
const STEPS: [string, string][] = [
  ['where', 'keeps rows that match'],
  ['stats', 'counts and averages, by fields'],
  ['top', 'most frequent values'],
  ['sort', 'orders rows'],
  ['limit', 'the first n'],
  ['select', 'these columns only'],
  ['let', 'computes a column'],
  ['bucket', 'intervals of time, to count by'],
  ['traces', 'one row a trace'],
  ['extract', 'columns out of the text'],
  ['parse json', 'fields of a JSON object in the text'],
  ['parse logfmt', 'key=value pairs in the text'],
  ['context', 'logs before and after each'],
  ['facets', 'frequent values of each field'],
  ['differ', 'what sets the rows apart that match'],
  ['patterns', 'kinds of log lines, most frequent first'],
  ['fill', 'rows for empty intervals, behind stats'],
];
/** Those that need nothing behind them. */
const WHOLE_STEPS = ['traces', 'facets', 'patterns', 'fill', 'parse json', 'parse logfmt'];
const FUNCTIONS: [string, string][] = [
  ['count()', 'rows'],
  ['avg()', 'mean'],
  ['sum()', 'sum'],
  ['min()', 'least'],
  ['max()', 'most'],
  ['p50()', 'median'],
  ['p95()', '95th percentile'],
  ['p99()', '99th percentile'],
  ['uniq()', 'distinct values'],
  ['rate()', 'rows a second'],
];
/** Words that a field can only be one of, whether the data has them or not. */
export const ENUMS: Record<string, string[]> = {
  status: ['error', 'ok', 'unset'],
  kind: ['server', 'client', 'internal', 'producer', 'consumer'],
  level: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  root: ['true', 'false'],
  state: ['new', 'ongoing', 'escalating', 'regressed', 'archived', 'resolved'],
  priority: ['high', 'medium', 'low'],
};
const OPERATORS_AFTER: Record<string, string> = { duration: '>', self: '>', level: '>=', time: '>=' };

function holds(token: Token, cursor: number): boolean {
  return token.from < cursor && cursor <= token.to;
}

export function spotAt(text: string, cursor: number): Spot {
  const tokens = lex(text);
  const source = tokens.find((token) => token.kind === 'source')?.text ?? 'spans';
  const here = tokens.find((token) => holds(token, cursor));
  const before = tokens.filter((token) => token.to <= cursor && token !== here);
  const last = before.at(-1);
  const at = (kind: Spot['kind'], field?: string): Spot => {
    const word = here && here.kind !== 'op' && here.kind !== 'pipe' && here.kind !== 'punct' ? here : undefined;
    const spot: Spot = {
      kind,
      from: word?.from ?? cursor,
      to: word?.to ?? cursor,
      prefix: word ? text.slice(word.from, cursor) : '',
      source,
    };
    return field === undefined ? spot : { ...spot, field };
  };
  if (!last && (!here || here.kind === 'source')) return at('source');
  if (here?.kind === 'source' || (last?.text === ',' && before.every((token) => token.kind === 'source' || token.text === ',')))
    return at('source');
  if (here?.kind === 'comment') return at('nothing');
  if (here?.kind === 'pipe' || here?.kind === 'step' || (!here && last?.kind === 'pipe')) return at('step');
  const field = fieldOfValue(tokens, here, before);
  if (field !== undefined) return at('value', field);
  const step = before.filter((token) => token.kind === 'step').at(-1)?.text;
  if (step && step !== 'where' && step !== 'differ') return at('step-args');
  if (here?.kind === 'string') return at('nothing');
  return at('field');
}

/** The field whose value stands at the cursor: after its operator, or inside its list. */
function fieldOfValue(tokens: Token[], here: Token | undefined, before: Token[]): string | undefined {
  let index = here?.kind === 'op' ? tokens.indexOf(here) : before.length - 1;
  if (here && here.kind !== 'op' && !/^(value|number|string|text|punct)$/.test(here.kind)) return undefined;
  if (here?.kind === 'punct' && here.text === '(') index = tokens.indexOf(here) - 1;
  else if (here?.kind === 'punct' && here.text !== ',') return undefined;
  const previous = tokens[index];
  if (previous?.kind === 'op') {
    // A space after a whole value ends it; one after the operator does not.
    return tokens[index - 1]?.kind === 'field' ? tokens[index - 1]?.text : undefined;
  }
  for (let i = index; i >= 0; i--) {
    const token = tokens[i];
    if (!token || token.text === ')') return undefined;
    if (token.text === '(') return tokens[i - 1]?.kind === 'op' && tokens[i - 2]?.kind === 'field' ? tokens[i - 2]?.text : undefined;
    if (!/^(value|number|string|punct)$/.test(token.kind)) return undefined;
    if (token.kind !== 'punct' && tokens[i + 1] === undefined && !here) return undefined;
  }
  return undefined;
}

/** 0: begins with it; 1: a part of it does; 2: it is somewhere inside; undefined: no. */
function rank(candidate: string, prefix: string): number | undefined {
  const name = candidate.toLowerCase();
  const wanted = prefix.toLowerCase();
  if (name.startsWith(wanted)) return 0;
  if (['.', '_', '-', '/', ' '].some((mark) => name.includes(mark + wanted))) return 1;
  return wanted.length > 2 && name.includes(wanted) ? 2 : undefined;
}

function pick(choices: Choice[], prefix: string, most = 12): Choice[] {
  return choices
    .map((choice) => ({ choice, rank: rank(choice.label ?? choice.insert, prefix) }))
    .filter((entry) => entry.rank !== undefined && entry.choice.insert !== prefix)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
    .slice(0, most)
    .map((entry) => entry.choice);
}

export function choicesFor(spot: Spot, fields: FieldInfo[], values: ValueInfo[]): Choice[] {
  switch (spot.kind) {
    case 'source':
      return pick(
        BUILT.map((name) => ({ insert: `${name} `, label: name, what: SOURCE_WORDS[name] ?? '' })),
        spot.prefix,
      );
    case 'step':
      return pick(
        STEPS.map(([name, what]) => ({ insert: WHOLE_STEPS.includes(name) ? name : `${name} `, label: name, what })),
        spot.prefix === '|' ? '' : spot.prefix,
        STEPS.length,
      );
    case 'step-args':
      return pick(
        [
          ...FUNCTIONS.map(([name, what]) => ({ insert: name, what, back: name === 'count()' || name === 'rate()' ? 0 : 1 })),
          ...fields.map((field) => ({ insert: field.field, what: about(field), rows: field.rows })),
        ],
        spot.prefix,
      );
    case 'field':
      return pick(
        fields.map((field) => ({
          insert: field.field + (OPERATORS_AFTER[field.field] ?? '='),
          label: field.field,
          what: about(field),
          rows: field.rows,
        })),
        spot.prefix,
      );
    case 'value':
      return valueChoices(spot, values);
    case 'nothing':
      return [];
  }
}

function about(field: FieldInfo): string {
  const types = field.types?.join(', ') ?? '';
  return field.level && field.level !== 'fixed' && field.level !== 'attr' ? `${field.level}, ${types}` : types;
}

function valueChoices(spot: Spot, values: ValueInfo[]): Choice[] {
  const prefix = spot.prefix.replace(/^["']/, '');
  const known = new Set<Value>();
  const choices: Choice[] = [];
  for (const { value, rows } of values) {
    if (typeof value === 'object' || value === null) continue;
    known.add(value);
    choices.push({ insert: writeValue(value), label: String(value), rows });
  }
  for (const word of ENUMS[spot.field ?? ''] ?? []) if (!known.has(word)) choices.push({ insert: word, what: 'none in this range' });
  return pick(choices, prefix);
}

/** The text with a choice in place, and where the cursor then stands. */
export function insertChoice(text: string, spot: Spot, choice: Choice): { text: string; cursor: number } {
  const after = text.slice(spot.to);
  const insert = /^\s/.test(after) ? choice.insert.trimEnd() : choice.insert;
  return { text: text.slice(0, spot.from) + insert + after, cursor: spot.from + insert.length - (choice.back ?? 0) };
}
