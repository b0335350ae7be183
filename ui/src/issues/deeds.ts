// What is done to issues from the list and from the page of one: at once where another click takes it back, after the time to
// undo where it takes them out of sight.
import { signal } from '@preact/signals';
import { ApiError } from '../api/client.ts';
import { type Change, changeIssues, type Issue, mergeIssues, refusal } from '../api/issues.ts';
import { refresh } from '../state/live.ts';
import { later, pending } from '../state/undo.ts';
import { doneWords } from './words.ts';

/** What could not be done; shown until the next attempt. */
export const failure = signal<ApiError | undefined>(undefined);
/** How many are being changed now. */
export const working = signal(0);

const ids = (issues: readonly Issue[]) => issues.map((issue) => issue.id).sort((a, b) => a - b);
const subjectOf = (issues: readonly Issue[]) => `issues ${ids(issues).join(' ')}`;

/** Is a change of it waiting to be taken back or sent? */
export function isWaiting(id: number): boolean {
  const subject = pending.value?.subject;
  return !!subject?.startsWith('issues ') && subject.split(' ').includes(String(id));
}

async function run(issues: readonly Issue[], change: Change, leaving: boolean): Promise<void> {
  working.value++;
  try {
    const changed = await changeIssues(ids(issues), change, leaving);
    failure.value = refusal(changed, new Map(issues.map((issue) => [issue.id, issue.short])));
  } catch (error) {
    failure.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
  } finally {
    working.value--;
    if (!leaving) refresh();
  }
}

/** Resolves or archives: out of the list now, done after the time to undo. */
export function putAway(issues: readonly Issue[], change: Change, verb: string): void {
  if (issues.length === 0) return;
  failure.value = undefined;
  later(subjectOf(issues), doneWords(issues.length, issues.length, verb), (leaving) => run(issues, change, leaving));
}

export function resolve(issues: readonly Issue[], how: Change['resolved_in'] = { kind: 'now' }): void {
  putAway(issues, { state: 'resolved', resolved_in: how }, 'resolved');
}

export function archive(issues: readonly Issue[], until: Change['until'] = { kind: 'escalating' }): void {
  putAway(issues, { state: 'archived', until }, 'archived');
}

export function reopen(issues: readonly Issue[]): void {
  putAway(issues, { state: 'ongoing' }, 'open again');
}

/** Into the oldest of them. */
export function merge(issues: readonly Issue[]): void {
  if (issues.length < 2) return;
  const oldest = [...issues].sort((a, b) => a.id - b.id)[0] as Issue;
  failure.value = undefined;
  later(subjectOf(issues.filter((issue) => issue !== oldest)), `${issues.length} issues are merged into ${oldest.short}`, async () => {
    try {
      await mergeIssues(ids(issues));
    } catch (error) {
      failure.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
    }
    refresh();
  });
}

/** Taken back by doing it again: it is done at once. */
export function change(issues: readonly Issue[], what: Change): Promise<void> {
  return issues.length === 0 ? Promise.resolve() : run(issues, what, false);
}
