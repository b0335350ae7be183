// What a rule watches, in one sentence; the state it is in; the query behind its chart.
import type { Alerts, Channel, Firing, Kind, Op, Rule, RuleInput, When } from '../api/alerts.ts';
import { count, duration, plural } from '../format/number.ts';
import { span, spanIn } from '../format/span.ts';
import { parseInstant } from '../format/time.ts';
import { splitSteps } from '../query/write.ts';

export const KINDS: readonly Kind[] = ['new', 'regressed', 'escalating', 'events', 'users'];
export const OPS: readonly Op[] = ['>', '>=', '<', '<='];

export const OP_WORDS: Record<Op, string> = { '>': 'above', '>=': 'at least', '<': 'below', '<=': 'at most' };

const DOES: Record<'new' | 'regressed' | 'escalating', string> = { new: 'is new', regressed: 'comes back', escalating: 'escalates' };

function does({ kind, n = 0, window_s = 0 }: When): string {
  if (kind === 'events') return `has ${plural(n, 'event')} in ${spanIn(window_s)}`;
  if (kind === 'users') return `affects ${plural(n, 'user')} in ${spanIn(window_s)}`;
  return DOES[kind];
}

/** `a, b or c`. */
export function listed(words: readonly string[], last = 'or'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

export function number(n: number): string {
  if (Number.isInteger(n)) return Math.abs(n) < 1e6 ? n.toLocaleString('en-US') : count(n);
  return Math.abs(n) >= 100 ? count(n) : String(Number(n.toPrecision(3)));
}

/** Is the last number of a query's rows a duration? Then it is in ns. */
function isDuration(query: string | undefined): boolean {
  const last = (query ?? '')
    .split('|')
    .reverse()
    .find((step) => /^\s*stats\b/.test(step));
  const aggregates = last?.replace(/\bby\b.*$/, '').split(/,(?![^(]*\))/) ?? [];
  return /\(\s*(duration|self)\s*[,)]/.test(aggregates.at(-1) ?? '');
}

/** A value of a rule's query as people read it. */
export function valueText(query: string | undefined, n: number): string {
  return isDuration(query) ? duration(n) : number(n);
}

const PARTS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, min: 60e9, h: 3600e9 };

/** `20`, `0.5`, or `800ms`, which is a number of ns; undefined: none. */
export function readThreshold(text: string): number | undefined {
  const found = /^\s*(-?\d+(?:\.\d+)?(?:e\d+)?)\s*(ns|us|µs|ms|s|m|min|h)?\s*$/.exec(text);
  return found ? Number(found[1]) * (found[2] ? (PARTS[found[2]] as number) : 1) : undefined;
}

/** As readThreshold reads it back. */
export function writeThreshold(query: string | undefined, n: number): string {
  if (!isDuration(query) || n === 0) return String(n);
  const [unit, size] = Object.entries({ h: 3600e9, min: 60e9, s: 1e9, ms: 1e6, us: 1e3 }).find(([, one]) => n % one === 0) ?? ['ns', 1];
  return `${n / size}${unit}`;
}

export function ofIssues(rule: Pick<RuleInput, 'when' | 'query'>): boolean {
  return rule.query === undefined;
}

/** "When an issue of shop is new or comes back". */
export function watches(rule: RuleInput): string {
  const where = rule.project ? ` of ${rule.project}` : '';
  if (ofIssues(rule)) {
    const when = [...(rule.when ?? [])].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
    if (when.length === 0) return 'Nothing yet: choose when it fires';
    return `When an issue${where} ${listed(when.map(does))}`;
  }
  const { op = '>', threshold = 0, window_s = 0 } = rule;
  return `When the query's value${where} over ${span(window_s)} is ${OP_WORDS[op]} ${valueText(rule.query, threshold)}`;
}

/** What of it: the filter or the query, as it is written. */
export function subjectOf(rule: RuleInput): string {
  if (!ofIssues(rule)) return rule.query ?? '';
  return rule.filter ? `issues ${rule.filter}` : '';
}

/** The whole of it, as it will behave. */
export function sentence(rule: RuleInput, channels: readonly Channel[]): string {
  const names = rule.channels.map((id) => channels.find((channel) => channel.id === id)?.name ?? `channel ${id}`);
  const told = names.length > 0 ? `, tell ${listed(names, 'and')}` : ', tell nobody: it is only listed';
  const again = rule.cooldown_s ? ` The same thing is told again after ${span(rule.cooldown_s)} at the earliest.` : '';
  const collect = rule.collect_s ? ` What follows a message within ${span(rule.collect_s)} comes as one more.` : '';
  const over = rule.recovery ? ' When it is over, that is told too.' : '';
  return `${watches(rule)}${told}.${over}${again}${collect}`;
}

export type RuleState = 'trouble' | 'off' | 'snoozed' | 'firing' | 'quiet';

export const STATE_TONE: Record<RuleState, string> = { trouble: 'w', off: '', snoozed: '', firing: 'e', quiet: 'k' };

export function isSnoozed(rule: Rule, now: number): boolean {
  return rule.snoozed_until !== undefined && parseInstant(rule.snoozed_until).ms > now;
}

export function stateOf(rule: Rule, firings: readonly Firing[], now: number): RuleState {
  if (!rule.enabled) return 'off';
  if (rule.trouble) return 'trouble';
  if (isSnoozed(rule, now)) return 'snoozed';
  return firings.some((firing) => firing.rule === rule.id && firing.open) ? 'firing' : 'quiet';
}

/** Those that need somebody first. */
const ORDER: readonly RuleState[] = ['firing', 'trouble', 'quiet', 'snoozed', 'off'];

export function sorted(rules: readonly Rule[], firings: readonly Firing[], now: number): Rule[] {
  const rank = (rule: Rule) => ORDER.indexOf(stateOf(rule, firings, now));
  return [...rules].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

export function lastFired(rule: Rule, firings: readonly Firing[]): Firing | undefined {
  return firings.find((firing) => firing.rule === rule.id);
}

/** Open ones first, then the newest. */
export function openFirst(firings: readonly Firing[]): Firing[] {
  return [...firings].sort((a, b) => Number(b.open) - Number(a.open) || b.id - a.id);
}

const KIND_WORDS: Record<Firing['kind'], string> = {
  new: 'New issue',
  regressed: 'Came back',
  escalating: 'Escalates',
  events: 'Many events',
  users: 'Many users',
  query: 'Threshold',
};

export function kindWord(kind: Firing['kind']): string {
  return KIND_WORDS[kind];
}

export const WHY_SUPPRESSED: Record<NonNullable<Firing['suppressed']>, string> = {
  snoozed: 'told nobody: the rule was snoozed',
  cooldown: 'told nobody: it had been told within the cooldown',
};

/** The conclusion of the page. */
export function conclusion({ rules, channels, firings }: Alerts, now: number): string {
  if (rules.length === 0) return 'No rule watches anything yet.';
  const states = rules.map((rule) => stateOf(rule, firings, now));
  const of = (state: RuleState) => states.filter((one) => one === state).length;
  const firing = of('firing');
  const parts = [firing > 0 ? `${plural(firing, 'rule')} of ${rules.length} ${firing === 1 ? 'is' : 'are'} firing` : 'Nothing is firing'];
  if (of('trouble') > 0) parts.push(`${plural(of('trouble'), 'rule')} cannot be evaluated`);
  if (of('snoozed') > 0) parts.push(`${of('snoozed')} snoozed`);
  const broken = channels.filter((channel) => channel.trouble).length;
  if (broken > 0) parts.push(`${plural(broken, 'channel')} cannot deliver`);
  return `${parts.join(', ')}.`;
}

/** A literal of the query language. */
function literal(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`;
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/**
 * The query's value in each window of the past: its `stats` by bucket of the window's length. Undefined where the last step
 * that counts is none that can be.
 */
export function bucketed(query: string, window_s: number): string | undefined {
  const { filter, steps } = splitSteps(query);
  const list = steps.split('|').map((step) => step.trim());
  const stats = list.findIndex((step) => /^stats\b/.test(step));
  // A pipe inside of a text would have cut it in the wrong place.
  if (stats < 0 || /['"{]/.test(steps) || list.some((step) => /^(bucket|fill|differ|patterns|facets)\b/.test(step))) return undefined;
  const step = list[stats] as string;
  const by = /\bby\b/.test(step) ? step.replace(/\bby\b/, 'by bucket,') : `${step} by bucket`;
  const behind = list.slice(stats + 1).filter((one) => one && !/^(sort|limit)\b/.test(one));
  return [filter, ...list.slice(1, stats), `bucket ${literal(window_s)}`, by, 'fill', ...behind].join(' | ');
}

/** How far back the chart looks: a day, or twelve windows where that is longer. */
export function lookBack(window_s: number): number {
  return Math.max(86_400, window_s * 12) * 1000;
}
