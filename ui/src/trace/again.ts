// A trace whose spans are not stored yet: SDKs send them every few seconds, probes and logs are often faster.
import { useEffect } from 'preact/hooks';
import { epoch, refresh } from '../state/live.ts';

const SPANS_DUE_MS = 60_000;
const AGAIN_MS = 2000;

/** Spans of what has just happened may still be on their way. */
export const stillDue = (newest: number, now: number): boolean => now - newest < SPANS_DUE_MS;

/** Asks for the trace again by itself, while its spans may still come. */
export function useAgain(due: boolean): void {
  const turn = epoch.value;
  useEffect(() => {
    if (!due) return;
    const timer = setTimeout(refresh, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [due, turn]);
}
