// What an event's SDK noted before it: clicks, requests, queries, log lines.
import type { Crumb, IssueEvent } from '../api/event.ts';
import { clock, parseInstant } from '../format/time.ts';

export interface CrumbLine extends Crumb {
  tone: '' | 'wrn' | 'err';
}

const toneOf = (crumb: Crumb): CrumbLine['tone'] => {
  if (crumb.level === 'error' || crumb.level === 'fatal' || crumb.type === 'error') return 'err';
  const status = Number(crumb.data?.['status_code']);
  return crumb.level === 'warning' || status >= 400 ? 'wrn' : '';
};

/** The last ones, oldest first, and the error itself at the end. */
export function lastCrumbs(event: IssueEvent, most: number): CrumbLine[] {
  const crumbs = event.breadcrumbs ?? [];
  if (crumbs.length === 0) return [];
  const own: CrumbLine = {
    time: event.time,
    type: 'error',
    message: event.type ?? event.title ?? 'the error',
    ...(event.service && { category: event.service }),
    tone: 'err',
  };
  return [...crumbs.slice(-most).map((crumb) => ({ ...crumb, tone: toneOf(crumb) })), own];
}

/** Seconds alone where it is the minute of the event. */
export function crumbTime(crumb: Crumb, event: IssueEvent): string {
  if (!crumb.time) return '';
  const at = parseInstant(crumb.time).ms;
  const whole = clock(at);
  return whole.slice(0, 5) === clock(parseInstant(event.time).ms).slice(0, 5) ? whole.slice(6) : whole.slice(0, 8);
}

const word = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

export function crumbText(crumb: Crumb): string {
  const { data = {} } = crumb;
  const url = word(data['url']);
  if (url && (crumb.type === 'http' || crumb.category === 'fetch' || crumb.category === 'xhr' || crumb.category === 'httplib')) {
    const status = word(data['status_code']);
    return `${word(data['method']) || 'GET'} ${url}${status ? `, ${status}` : ''}`;
  }
  if (crumb.category === 'navigation') return `${word(data['from'])} → ${word(data['to'])}`;
  if (crumb.message) return crumb.message;
  const rest = Object.entries(data).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return rest.join(' ') || crumb.category || crumb.type || '';
}
