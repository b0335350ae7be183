// The moving present: what "now" is for relative ranges, and when pages ask again.
import { computed, effect, signal } from '@preact/signals';
import { inFlight, serverNow } from '../api/client.ts';
import { type Range, resolveRange, shiftRange } from './range.ts';
import { place, setParams } from './route.ts';

const LIVE_MS = 3000;

/** The reader wants updates. They come only while the range ends now, the page is seen and nothing is being asked. */
export const live = signal(true);
/** Counts questions: each step resolves the range anew, and pages load again. */
export const epoch = signal(0);

export const range = computed<Range>(() => {
  epoch.value;
  const { params } = place.value;
  return resolveRange(params.get('from') ?? undefined, params.get('to') ?? undefined, serverNow());
});

/** For keys of loads: the range as written, and the question's number. */
export const rangeKey = computed(() => {
  const { params } = place.value;
  return `${params.get('from') ?? ''}~${params.get('to') ?? ''}~${epoch.value}`;
});

/** What makes old rows wrong rather than old. */
export const rangeSubject = computed(() => `${place.value.params.get('from') ?? ''}~${place.value.params.get('to') ?? ''}`);

export function refresh(): void {
  epoch.value++;
}

export function shift(direction: -1 | 1): void {
  const moved = shiftRange(range.value, direction, serverNow());
  if (direction > 0 && range.value.relative) return;
  setParams({ from: String(moved.from), to: String(moved.to) });
}

if (typeof window !== 'undefined') {
  effect(() => {
    if (!live.value || !range.value.relative) return;
    const timer = setInterval(() => {
      if (!document.hidden && inFlight.value === 0) refresh();
    }, LIVE_MS);
    return () => clearInterval(timer);
  });
}
