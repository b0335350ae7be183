import type { ComponentChildren } from 'preact';
import { page } from '../state/page.ts';
import { go, place, plainClick } from '../state/route.ts';

interface Props {
  href: string;
  class?: string;
  title?: string;
  'aria-current'?: 'page' | undefined;
  'aria-label'?: string;
  'data-row'?: number;
  /** The thread grows by the present page: for links from a list to what is in it. */
  follow?: boolean;
  children: ComponentChildren;
}

/** A link inside Clew: an ordinary one, which does not load the page again. */
export function Link({ href, follow, children, ...rest }: Props) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        if (!plainClick(event)) return;
        event.preventDefault();
        go(href, { trail: follow ? trailFromHere() : [] });
      }}
    >
      {children}
    </a>
  );
}

export function trailFromHere() {
  return [...place.value.trail, { label: page.value.here, href: place.value.path + location.search }].slice(-4);
}
