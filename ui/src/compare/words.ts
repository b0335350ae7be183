// The conclusion of a comparison in words, each of them from its rows.
import type { Value } from '../api/types.ts';
import { count, duration, percent, plural } from '../format/number.ts';
import { type ComparedRow, type Comparison, delta, failsOnlyInA, isMany, mean, spansOf } from './answer.ts';

export interface Finding {
  text: string;
  /** The row that shows it. */
  row?: number;
}

export function conclude(answer: Comparison): Finding[] {
  if (answer.population?.compared === 0) return [];
  const failed = failure(answer);
  const said = [time(answer), where(answer), failed, version(answer), attribute(answer, failed?.row)];
  return said.filter((finding): finding is Finding => finding !== undefined);
}

const nameOf = (row: ComparedRow | undefined) => row?.name ?? '(no name)';

function title({ rows }: Comparison): string {
  return `${rows[0]?.service ?? ''} ${nameOf(rows[0])}`.trim();
}

/** What a's duration is held against: b's, or the mean of the others (to which their rows add up). */
export function difference(answer: Comparison): number {
  return answer.rows.reduce((sum, row) => sum + delta(row), 0);
}

function time(answer: Comparison): Finding {
  const { a, b, population } = answer;
  const by = difference(answer);
  if (population?.duration) {
    const { faster, compared, duration: usual } = population;
    const rank =
      faster === compared
        ? 'more than any of them'
        : faster === 0
          ? 'less than all of them'
          : `more than ${percent(faster / compared)} of them`;
    return { text: `${title(answer)} took ${duration(a.duration)}, ${rank}: half take ${duration(usual.p50)} or less`, row: 0 };
  }
  const other = b?.duration ?? 0;
  if (Math.abs(by) <= Math.max(a.duration, other) / 50)
    return { text: `${title(answer)} took as long in both, ${duration(a.duration)} and ${duration(other)}`, row: 0 };
  return {
    text: `${title(answer)} took ${duration(Math.abs(by))} ${by > 0 ? 'more' : 'less'}, ${duration(a.duration)} instead of ${duration(other)}`,
    row: 0,
  };
}

/** Where most of the difference is. */
function where(answer: Comparison): Finding | undefined {
  const by = difference(answer);
  const longer = Math.max(answer.a.duration, answer.a.duration - by);
  if (Math.abs(by) <= longer / 50) return undefined;
  let best = -1;
  answer.rows.forEach((row, index) => {
    if (delta(row) * Math.sign(by) > Math.max(0, delta(answer.rows[best] ?? row) * Math.sign(by)) || (best < 0 && delta(row) * by > 0))
      best = index;
  });
  const row = answer.rows[best];
  if (!row || Math.abs(delta(row)) < Math.abs(by) / 10) return undefined;
  const own = Math.abs(delta(row)) >= Math.abs(by) * 0.995 ? 'all of it' : `${duration(Math.abs(delta(row)))} of it`;
  return { text: `${own} in ${nameOf(row)}${counts(row)}`, row: best };
}

function counts(row: ComparedRow): string {
  const { a, b } = row;
  const many = b && isMany(b);
  const others = many ? 'the others' : 'the other';
  const times = (n: number) => (n === 1 ? 'once' : `${mean(n)} times`);
  if (!b) return `${a && a.spans > 1 ? ` ×${count(a.spans)}` : ''}, which ${others} ${many ? 'do' : 'does'} not have`;
  if (!a) return `, which this one does not have`;
  if (Math.round(spansOf(a)) === Math.round(spansOf(b))) return '';
  return `${a.spans > 1 ? ` ×${count(a.spans)}` : ''}, which ${others} ${many ? 'have' : 'has'} ${times(b.spans)}`;
}

/** The deepest row that fails here and not there: nearest to the cause. */
function failure({ rows, population }: Comparison): Finding | undefined {
  let best = -1;
  rows.forEach((row, index) => {
    if (failsOnlyInA(row) && row.depth > (rows[best]?.depth ?? -1)) best = index;
  });
  if (best >= 0) return { text: `${nameOf(rows[best])} failed here${population ? ', and seldom elsewhere' : ' only'}`, row: best };
  if (population) return undefined;
  rows.forEach((row, index) => {
    const failed = row.b && !isMany(row.b) && row.b.errors > 0 && !row.a?.errors;
    if (failed && row.depth > (rows[best]?.depth ?? -1)) best = index;
  });
  return best >= 0 ? { text: `${nameOf(rows[best])} failed in the other only`, row: best } : undefined;
}

/** Nothing about hosts, threads, ids, a statement's text, or what a failure looks like from outside. */
const CHANCE =
  /(^|\.)(id|ids|port|address|pid|thread|instance|body|size|duration|user_agent|query|full|path|target|status_code|error|exception|message)(\.|_|$)|_id$|\.lineno$/;

const there = (value: Value | undefined, { population }: Comparison) =>
  population ? `${show(value)} in most others` : `${show(value)} there`;

function version(answer: Comparison): Finding | undefined {
  for (const [index, row] of answer.rows.entries()) {
    const found = row.attributes.find((difference) => difference.level === 'resource' && difference.key === 'service.version');
    if (found?.a !== undefined && found.b !== undefined)
      return { text: `${row.service ?? 'the service'} ran ${show(found.a)} here, ${there(found.b, answer)}`, row: index };
  }
  return undefined;
}

/** What was asked differently: best known of the call that failed. */
function attribute(answer: Comparison, failed: number | undefined): Finding | undefined {
  const order = [...answer.rows.keys()].sort((x, y) => Number(y === failed) - Number(x === failed) || x - y);
  for (const index of order) {
    for (const found of answer.rows[index]?.attributes ?? []) {
      if (found.level !== 'attr' || CHANCE.test(found.key) || found.a === undefined || found.b === undefined) continue;
      if (show(found.a).length > 60 || show(found.b).length > 60) continue;
      return { text: `${found.key} is ${show(found.a)} here, ${there(found.b, answer)}`, row: index };
    }
  }
  return undefined;
}

export function show(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'string' ? value || '""' : JSON.stringify(value);
}

/** How the others were chosen, so that nobody takes a sample for the whole. */
export function sampled({ population }: Comparison): string {
  if (!population) return '';
  const { found, more, compared } = population;
  const of = `${more ? 'more than ' : ''}${plural(found, 'other trace')} of this root`;
  return compared < found ? `${count(compared)} of ${of}, chosen by a hash of their ids: the same each time` : of;
}
