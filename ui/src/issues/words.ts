// What issues are called and said to be.
import type { Issue, Priority, ResolvedIn, State, Until } from '../api/issues.ts';
import { count, plural } from '../format/number.ts';
import { ago, dayClock, parseInstant } from '../format/time.ts';

export const STATE_WORDS: Record<State, string> = {
  new: 'New',
  ongoing: 'Ongoing',
  escalating: 'Escalating',
  regressed: 'Regressed',
  archived: 'Archived',
  resolved: 'Resolved',
};

/** The pill's colour: what asks for somebody is red or amber, what is done green. */
export const STATE_TONE: Record<State, '' | 'e' | 'w' | 'k'> = {
  new: 'e',
  ongoing: '',
  escalating: 'w',
  regressed: 'w',
  archived: '',
  resolved: 'k',
};

export const PRIORITIES: Priority[] = ['high', 'medium', 'low'];

export const isOpen = (state: State) => state !== 'archived' && state !== 'resolved';

/** Type and message apart: the title begins with the type, as a rule. */
export function partsOf(issue: Pick<Issue, 'title' | 'type' | 'value'>): { type: string; value: string } {
  const { title, type, value } = issue;
  if (!type) return { type: title, value: '' };
  if (value !== undefined) return { type, value: firstLine(value) };
  return { type, value: title.startsWith(`${type}: `) ? title.slice(type.length + 2) : title === type ? '' : title };
}

/** `java.lang.IllegalStateException` as its last part, which tells one from another; a message is left as it is. */
export const shortType = (type: string) => (/^(?:[\w$]+\.)+[A-Z][\w$]*$/.test(type) ? type.slice(type.lastIndexOf('.') + 1) : type);

export const firstLine = (text: string) => text.split('\n', 1)[0] ?? '';

/** Without "ago": how long ago it was first seen. */
export function age(issue: Pick<Issue, 'first'>, now: number): string {
  const text = ago(parseInstant(issue.first).ms, now);
  return text === 'now' ? 'just now' : text.replace(' ago', ' old');
}

export function users(issue: Pick<Issue, 'users' | 'users_approx'>): string {
  const n = issue.users ?? 0;
  return `${issue.users_approx ? '~' : ''}${count(n)}`;
}

export function untilWords(until: Until | undefined, now: number): string {
  switch (until?.kind) {
    case 'escalating':
      return 'until it escalates';
    case 'time': {
      const at = until.time ? parseInstant(until.time).ms : undefined;
      return at === undefined
        ? 'for a time'
        : at - now < 72_000_000 && at > now
          ? `for ${ago(0, at - now).replace(' ago', '')} more`
          : `until ${dayClock(at)}`;
    }
    case 'events':
    case 'users': {
      const noun = until.kind === 'events' ? 'event' : 'user';
      const n = until.n ?? 0;
      return until.window_s ? `until ${plural(n, noun)} in ${span(until.window_s)}` : `until ${plural(n, `more ${noun}`)}`;
    }
    case 'forever':
      return 'forever';
    default:
      return '';
  }
}

function span(seconds: number): string {
  return ago(0, seconds * 1000)
    .replace(' ago', '')
    .replace(/^1\u202f/, 'one ');
}

export function resolvedWords(resolved: ResolvedIn | undefined): string {
  switch (resolved?.kind) {
    case 'release':
      return `in ${resolved.release ?? 'this release'}`;
    case 'next_release':
      return `in the release after ${resolved.release ?? 'this one'}`;
    case 'commit':
      return `in commit ${(resolved.commit ?? '').slice(0, 8)}`;
    default:
      return '';
  }
}

/** What the state does not say: why it came back, how long it is archived. */
export function stateDetail(issue: Issue, now: number): string {
  if (issue.state === 'archived') return untilWords(issue.until, now);
  if (issue.state === 'resolved') return resolvedWords(issue.resolved_in);
  // That a new one was first seen is said by its age.
  return issue.state === 'regressed' || issue.state === 'escalating' ? (issue.reason ?? '') : '';
}

/** Two letters for a name. */
export function initials(name: string): string {
  const words = name
    .replace(/@.*$/, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  const [first = '?', second] = words;
  return second ? `${first[0]}${second[0]}` : first.slice(0, 2);
}

/** `{n} of {m} resolved`. */
export function doneWords(done: number, all: number, verb: string): string {
  return done === all ? `${all === 1 ? '1 issue is' : `${count(all)} issues are`} ${verb}` : `${count(done)} of ${count(all)} ${verb}`;
}
