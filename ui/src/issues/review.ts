// How many issues wait for somebody: the number at the rail. Asked seldom; the inbox, when open, says it anew.
import { signal } from '@preact/signals';
import { me, serverNow } from '../api/client.ts';
import { loadIssues } from '../api/issues.ts';

export const review = signal(0);

const EVERY_MS = 60_000;
const DAYS = 14;
let timer: ReturnType<typeof setInterval> | undefined;

async function ask(): Promise<void> {
  if (document.hidden || !me.peek()) return;
  const to = serverNow();
  const query = 'issues state=(new, regressed, escalating)';
  const answer = await loadIssues({ query, from: to - DAYS * 86_400_000, to, sort: 'last', buckets: 2, limit: 1 }).catch(() => undefined);
  if (answer) review.value = answer.counts.review;
}

/** From the first time that somebody is signed in. */
export function followReview(): void {
  if (timer !== undefined) return;
  timer = setInterval(() => void ask(), EVERY_MS);
  // After what the page itself asks.
  setTimeout(() => void ask(), 1500);
}
