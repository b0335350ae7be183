// The conclusion in words, from what the server found. Pure: a list of pieces, some of them strong.
import type { Deploy, Finding, Overview, OverviewService } from '../api/overview.ts';
import { count, duration, NNBSP, percent, plural } from '../format/number.ts';
import { clock, dayClock, parseInstant } from '../format/time.ts';

export interface Piece {
  text: string;
  strong?: boolean;
  /** The page that says more. */
  to?: '/issues' | '/monitors';
}

export type Mood = 'e' | 'w' | 'k' | 'none';

export interface Conclusion {
  mood: Mood;
  pieces: Piece[];
}

/** `14:08`; with the day when that is not the present one. */
export function moment(ms: number, now: number): string {
  const sameDay = new Date(ms).toDateString() === new Date(now).toDateString();
  return sameDay ? clock(ms).slice(0, 5) : dayClock(ms);
}

/** What is wrong beside requests: issues that nobody has seen to, and monitors that miss or fail. */
export interface Troubles {
  issues: number;
  monitors: string[];
}

function troubled({ issues, monitors }: Troubles): Piece[] {
  const [first, ...others] = monitors;
  const pieces: Piece[] = [];
  if (first !== undefined && others.length === 0)
    pieces.push({ text: 'The monitor ' }, { text: first, strong: true, to: '/monitors' }, { text: ' fails' });
  else if (first !== undefined) pieces.push({ text: plural(monitors.length, 'monitor'), to: '/monitors' }, { text: ' fail' });
  if (issues > 0) {
    if (pieces.length > 0) pieces.push({ text: ', and ' });
    pieces.push({ text: plural(issues, 'issue'), to: '/issues' }, { text: ` ${issues === 1 ? 'needs' : 'need'} a look` });
  }
  return pieces;
}

export function conclusion(overview: Overview, now: number, rangeWords: string, troubles?: Troubles): Conclusion {
  const { finding } = overview;
  const services = overview.services.filter((row) => row.kind === 'service');
  if (finding.state === 'failing' || finding.state === 'slow') {
    const doing = finding.state === 'failing' ? 'failing' : 'slow';
    const pieces: Piece[] = [{ text: finding.service ?? 'Something', strong: true }];
    if (!finding.since) pieces.push({ text: ` is ${doing}` });
    else pieces.push({ text: ` has been ${doing} since ${moment(parseInstant(finding.since).ms, now)}` }, ...because(finding));
    return { mood: finding.state === 'failing' ? 'e' : 'w', pieces };
  }
  if (finding.state === 'quiet' || services.length === 0) {
    return { mood: 'none', pieces: [{ text: `Nothing has arrived ${rangeWords}` }] };
  }
  const trouble = troubles ? troubled(troubles) : [];
  if (trouble.length > 0) return { mood: troubles && troubles.monitors.length > 0 ? 'e' : 'w', pieces: trouble };
  if (services.length === 1) return { mood: 'k', pieces: [{ text: services[0]?.service ?? '', strong: true }, { text: ' is well' }] };
  return { mood: 'k', pieces: [{ text: `All ${services.length} services are well` }] };
}

function because({ service, cause }: Finding): Piece[] {
  if (!cause?.version) return [];
  const pieces: Piece[] = [{ text: ', when ' }];
  if (cause.service && cause.service !== service) pieces.push({ text: cause.service, strong: true }, { text: ' ' });
  return [...pieces, { text: cause.version, strong: true }, { text: ' went out' }];
}

/** `6.1 % of requests fail, was 0.2 %`; of what is slow, its p95. */
export function leadFact(finding: Finding): { number: string; words: string } | undefined {
  if (finding.state === 'failing' && finding.error_ratio !== undefined) {
    const was = finding.error_ratio_before;
    return { number: percent(finding.error_ratio), words: ` of requests fail${was === undefined ? '' : `, was ${percent(was)}`}` };
  }
  if (finding.state === 'slow' && finding.p95 !== undefined) {
    const was = finding.p95_before;
    return { number: duration(finding.p95), words: ` for the slowest 5${NNBSP}%${was === undefined ? '' : `, was ${duration(was)}`}` };
  }
  return undefined;
}

/** One sentence on a quiet morning: what went through, how much of it failed, how long it took. */
export function calmFacts(overview: Overview): string[] {
  const { requests, errors, p95 } = overview.series;
  const all = sum(requests);
  if (all === 0) return ['no requests in this range'];
  const bad = sum(errors);
  const known = p95.filter((value): value is number => value !== null);
  const middle = [...known].sort((a, b) => a - b)[Math.floor(known.length / 2)];
  const facts = [plural(all, 'request'), bad === 0 ? 'none failed' : `${percent(bad / all)} failed`];
  if (middle !== undefined) facts.push(`p95 around ${duration(middle)}`);
  return facts;
}

function sum(list: readonly number[]): number {
  return list.reduce((total, n) => total + n, 0);
}

/** `+53 %` against before; undefined when there is nothing to compare or it says nothing. */
export function change(now: number | undefined, before: number | undefined): { text: string; share: number } | undefined {
  if (now === undefined || !before) return undefined;
  const share = now / before - 1;
  const size = Math.abs(share);
  const text = size >= 10 ? `×${count(Math.round(now / before))}` : `${share < 0 ? '−' : '+'}${Math.round(size * 100)}${NNBSP}%`;
  return { text: size < 0.005 ? `±0${NNBSP}%` : text, share };
}

/** Does a service's error ratio deserve red? One in a hundred does, and so does twice as many as before. */
export function failsBadly(row: Pick<OverviewService, 'errors' | 'error_ratio' | 'before'>): boolean {
  const ratio = row.error_ratio ?? 0;
  const was = row.before?.error_ratio;
  if (row.errors < 2) return false;
  return ratio >= 0.01 || (was !== undefined && ratio >= 0.005 && ratio > 2 * was);
}

/** Amber from a quarter slower on. */
export function isSlower(row: Pick<OverviewService, 'p95' | 'before' | 'requests'>): boolean {
  const changed = change(row.p95, row.before?.p95);
  return row.requests >= 20 && (row.before?.requests ?? 0) >= 20 && !!changed && changed.share >= 0.25;
}

/** What a deploy changed, in a few words. */
export function deployEffect(deploy: Deploy): { text: string; mood: Mood } {
  const { error_ratio_before: was, error_ratio_after: is } = deploy;
  if (is === undefined || (deploy.requests ?? 0) === 0) return { text: 'no requests since', mood: 'none' };
  if (was !== undefined && Math.abs(is - was) >= 0.005) {
    const points = (is - was) * 100;
    return {
      text: `errors ${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}${NNBSP}pts`,
      mood: points > 0 && deploy.worse ? 'e' : 'none',
    };
  }
  const slower = change(deploy.p95_after, deploy.p95_before);
  if (slower && Math.abs(slower.share) >= 0.05)
    return { text: `p95 ${slower.text}`, mood: deploy.worse && slower.share > 0 ? 'w' : 'none' };
  return { text: was === undefined ? 'nothing to compare with' : 'no change', mood: 'none' };
}
