// Loading for pages: one request at a time for what the page shows now; what was there stays until its replacement has come.
import { type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ApiError } from './client.ts';

export interface Loaded<T> {
  data: Signal<T | undefined>;
  error: Signal<ApiError | undefined>;
  busy: Signal<boolean>;
  /** The data answers an earlier question. */
  stale: Signal<boolean>;
  /** Again, with the same question; over when it was answered. */
  retry: () => Promise<void>;
}

class Loader<T> implements Loaded<T> {
  data = signal<T | undefined>(undefined);
  error = signal<ApiError | undefined>(undefined);
  busy = signal(false);
  stale = signal(false);
  private running: AbortController | undefined;
  private fetcher: ((abort: AbortSignal) => Promise<T>) | undefined;
  private subject: string | undefined;

  /** subject: what the data is about. When it changes, the old data is not merely old but wrong: it goes, or stays marked as stale. */
  load(subject: string, keep: boolean, fetcher: (abort: AbortSignal) => Promise<T>): void {
    this.fetcher = fetcher;
    if (subject !== this.subject) {
      this.subject = subject;
      this.error.value = undefined;
      if (keep) this.stale.value = this.data.value !== undefined;
      else this.data.value = undefined;
    }
    void this.run();
  }

  retry = (): Promise<void> => this.run();

  stop(): void {
    this.running?.abort();
  }

  private async run(): Promise<void> {
    if (!this.fetcher) return;
    this.running?.abort();
    const mine = new AbortController();
    this.running = mine;
    this.busy.value = true;
    try {
      const data = await this.fetcher(mine.signal);
      if (this.running !== mine) return;
      this.data.value = data;
      this.error.value = undefined;
      this.stale.value = false;
    } catch (error) {
      if (this.running !== mine || mine.signal.aborted) return;
      this.error.value = error instanceof ApiError ? error : new ApiError(0, { code: 'page', message: String(error) });
    } finally {
      if (this.running === mine) this.busy.value = false;
    }
  }
}

/** Loads when `key` changes. `subject` is the part of it that makes old data wrong; with `keep` it then stays as stale until there is new. */
export function useLoad<T>(subject: string, key: string, fetcher: (abort: AbortSignal) => Promise<T>, keep = false): Loaded<T> {
  const loader = useMemo(() => new Loader<T>(), []);
  useEffect(() => loader.load(subject, keep, fetcher), [key, subject]);
  useEffect(() => () => loader.stop(), [loader]);
  return loader;
}
