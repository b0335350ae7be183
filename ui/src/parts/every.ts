// For pages without a range of time: they ask again on their own while somebody looks.
import { useEffect, useState } from 'preact/hooks';
import { epoch } from '../state/live.ts';

/** A number that changes every so often, and when the reader asks to refresh. */
export function useEvery(ms: number): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && setTurn((n) => n + 1), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return turn + epoch.value * 1e6;
}
