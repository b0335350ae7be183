// What is done to rules from their list and from their page.
import { signal } from '@preact/signals';
import { inputOf, type Rule, removeRule, saveRule, snoozeRule } from '../api/alerts.ts';
import { ApiError } from '../api/client.ts';
import { refresh } from '../state/live.ts';
import { later, pending } from '../state/undo.ts';

export const failure = signal<ApiError | undefined>(undefined);

async function run(deed: () => Promise<unknown>): Promise<void> {
  failure.value = undefined;
  try {
    await deed();
  } catch (error) {
    failure.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
  }
  refresh();
}

export const SNOOZES: readonly [string, number][] = [
  ['1 hour', 3600],
  ['8 hours', 8 * 3600],
  ['1 day', 86_400],
];

export const snooze = (rule: Rule, for_s: number) => run(() => snoozeRule(rule.id, for_s));
export const enable = (rule: Rule, enabled: boolean) => run(() => saveRule({ ...inputOf(rule), enabled }, rule.id));

const subject = (id: number) => `alert rule ${id}`;

export const isLeaving = (rule: Rule) => pending.value?.subject === subject(rule.id);

export function remove(rule: Rule): void {
  later(subject(rule.id), `“${rule.name}” is deleted`, async (leaving) => {
    if (leaving) return removeRule(rule.id, true);
    await run(() => removeRule(rule.id, false));
  });
}
