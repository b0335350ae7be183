// What the open page tells the frame around it.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

export interface PageFacts {
  /** The last knot of the thread, and the window's title. */
  here: string;
  title?: string;
  /** Which tab of the rail. */
  tab: 'traces' | 'logs';
  /** Does the range of time (and live) mean anything here? */
  ranged: boolean;
}

export const page = signal<PageFacts>({ here: '', tab: 'traces', ranged: true });

export function usePage(facts: PageFacts): void {
  const { here, title, tab, ranged } = facts;
  useEffect(() => {
    page.value = { here, tab, ranged, ...(title !== undefined && { title }) };
    document.title = `${title ?? here} · Clew`;
  }, [here, title, tab, ranged]);
}
