// What the open page tells the frame around it.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { visible } from '../format/visible.ts';
import { pageAt } from '../pages.ts';
import { watched } from './live.ts';

export interface PageFacts {
  /** The last knot of the thread, and the window's title. */
  here: string;
  title?: string;
  /** Which tab of the rail. */
  tab: string;
  /** Does the range of time (and live) mean anything here? */
  ranged: boolean;
  /** The query whose new records make the page ask again. */
  watch?: string;
  /** Not more often than that, in ms. */
  pace?: number;
}

/** Until the page's own file has come, its address says what the frame will look like. */
function expected(): PageFacts {
  const entry = pageAt(typeof location === 'undefined' ? '' : location.pathname);
  return { here: '', tab: entry?.tab ?? '', ranged: entry?.ranged ?? true };
}

export const page = signal<PageFacts>(expected());

export function usePage(facts: PageFacts): void {
  const { here, title, tab, ranged, watch, pace } = facts;
  useEffect(() => {
    page.value = { here, tab, ranged, ...(title !== undefined && { title }) };
    document.title = visible(`${title ?? here} · Clew`);
  }, [here, title, tab, ranged]);
  useEffect(() => {
    watched.value = watch === undefined ? undefined : { query: watch, pace: pace ?? 1000 };
    return () => {
      watched.value = undefined;
    };
  }, [watch, pace]);
}
