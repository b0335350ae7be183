// The moving present: what "now" is for relative ranges, and when pages ask again.
//
// While a page is live, the server tells it of each new record that its filter finds (server-sent events of /api/v1/tail).
// What is shown is always the answer of a query, asked again after such news: at most once a second, and the more seldom the
// longer it takes.
import { computed, effect, signal } from '@preact/signals';
import { inFlight, serverNow } from '../api/client.ts';
import { splitSteps } from '../query/write.ts';
import { type Range, resolveRange, shiftRange } from './range.ts';
import { place, setParams } from './route.ts';
import { scoped } from './scope.ts';

/** The reader wants updates. They come only while the range ends now and the page is seen. */
export const live = signal(true);
/** Counts questions: each step resolves the range anew, and pages load again. */
export const epoch = signal(0);
/** What news are about: the query of the open page, and how often it asks again at most (ms). */
export const watched = signal<{ query: string; pace: number } | undefined>(undefined);
/** Records that have arrived since the page began to follow its query. */
export const arrived = signal(0);
/** Is the server's voice heard? If not, pages ask on their own. */
export const connected = signal(false);

export const range = computed<Range>(() => {
  epoch.value;
  const { params } = place.value;
  return resolveRange(params.get('from') ?? undefined, params.get('to') ?? undefined, serverNow());
});

/** For keys of loads: range and scope as written, and the question's number. */
export const rangeKey = computed(() => `${rangeSubject.value}~${epoch.value}`);

/** What makes old rows wrong rather than old. */
export const rangeSubject = computed(() => ['from', 'to', 'project', 'env'].map((name) => place.value.params.get(name) ?? '').join('~'));

export function refresh(): void {
  epoch.value++;
}

export function shift(direction: -1 | 1): void {
  const moved = shiftRange(range.value, direction, serverNow());
  if (direction > 0 && range.value.relative) return;
  setParams({ from: String(moved.from), to: String(moved.to) });
}

/** How long to wait before the next question, when the last one took so long. */
export function pause(tookMs: number, pace = 1000): number {
  return Math.min(15_000, Math.max(pace, tookMs * 10));
}

let heldUntil = 0;

/** Rows stay where they are for a moment: somebody is about to click on one. */
export function hold(): void {
  heldUntil = performance.now() + 1500;
}

const SLOW_MS = 10_000;
const ALONE_MS = 3000;
/** Spans of one trace arrive over a second or two. */
const SETTLE_MS = 2500;

/** Asks again after news, soon but not too often, and once more when it has become quiet. */
class Refresher {
  private next: ReturnType<typeof setTimeout> | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private last = 0;
  private took = 0;

  constructor(private readonly pace: number) {}

  news(): void {
    this.soon(Math.max(0, this.last + pause(this.took, this.pace) - performance.now()));
    clearTimeout(this.settle);
    this.settle = setTimeout(() => this.soon(0), Math.max(SETTLE_MS, this.pace));
  }

  stop(): void {
    clearTimeout(this.next);
    clearTimeout(this.settle);
  }

  private soon(ms: number): void {
    this.next ??= setTimeout(() => {
      this.next = undefined;
      if (document.hidden || inFlight.peek() > 0 || performance.now() < heldUntil) return this.soon(300);
      this.ask();
    }, ms);
  }

  private ask(): void {
    this.last = performance.now();
    refresh();
    // The requests begin with the next rendering; until all are answered counts as what it took.
    setTimeout(() => {
      const off = effect(() => {
        if (inFlight.value > 0) return;
        this.took = performance.now() - this.last - 50;
        queueMicrotask(() => off());
      });
    }, 50);
  }
}

function follow(query: string, pace: number): () => void {
  const refresher = new Refresher(pace);
  const { filter } = splitSteps(query);
  const source = new EventSource(`/api/v1/tail?query=${encodeURIComponent(`${filter} | select time`)}`);
  source.onopen = () => {
    connected.value = true;
  };
  arrived.value = 0;
  source.onmessage = () => {
    arrived.value++;
    refresher.news();
  };
  source.addEventListener('skipped', () => refresher.news());
  source.onerror = () => {
    connected.value = false;
  };
  // A range that ends now moves even when nothing happens; without the server's voice this is all there is.
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
    const due = connected.peek() ? ticks % Math.round(SLOW_MS / ALONE_MS) === 0 : true;
    if (due) refresher.news();
  }, ALONE_MS);
  return () => {
    source.close();
    clearInterval(timer);
    refresher.stop();
    connected.value = false;
  };
}

if (typeof window !== 'undefined') {
  const wanted = computed(() => {
    const about = watched.value;
    return live.value && range.value.relative && about ? `${about.pace} ${scoped(about.query)}` : undefined;
  });
  // A text, so that the same wish is not begun anew with every question.
  effect(() => {
    const [pace = '', ...query] = (wanted.value ?? '').split(' ');
    return wanted.value ? follow(query.join(' '), Number(pace)) : undefined;
  });
}
