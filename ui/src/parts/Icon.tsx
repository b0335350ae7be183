// lucide's icons, drawn inline: 1.5 px strokes at every size.
import type { IconNode } from 'lucide';
import { h } from 'preact';

export function Icon({ icon, size = 16, class: className }: { icon: IconNode; size?: number; class?: string }) {
  return (
    <svg
      class={className ? `ic ${className}` : 'ic'}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      stroke-width={(1.5 * 24) / size}
      aria-hidden="true"
    >
      {icon.map(([tag, attributes], index) => h(tag, { key: index, ...attributes }))}
    </svg>
  );
}

/** Clew's own mark: the ball, and the thread that leaves it to the right. */
export function Ball({ class: className }: { class?: string }) {
  return (
    <svg class={className ? `ic ${className}` : 'ic'} viewBox="0 0 56 44" width="56" height="44" stroke-width="1.5" aria-hidden="true">
      <circle cx="26" cy="22" r="10.5" />
      <path d="M16.8 17.2c6 1.2 12.6 5.8 15.6 12.7M20.7 13c6.3 1.6 12.4 6.8 14.9 13.2M16 25.3c3.9.7 7.7 3.3 10.2 6.9" stroke-width="1.3" />
      <path d="M17.4 28.1C19.5 20.5 26 15 33.5 14.6M36.5 22H56" />
    </svg>
  );
}

/** The error mark: a filled disc with a cross. */
export function ErrorDisc({ label = 'error' }: { label?: string }) {
  return (
    <span class="xm" role="img" aria-label={label}>
      <svg class="ic" width="9" height="9" viewBox="0 0 16 16" stroke-width="2.4" aria-hidden="true">
        <path d="M4.5 4.5l7 7M11.5 4.5l-7 7" />
      </svg>
    </span>
  );
}
