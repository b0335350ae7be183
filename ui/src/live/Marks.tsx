// Small marks of the page.
import { Ban, CircleAlert, CircleCheck, CircleDashed, Hourglass } from 'lucide';
import type { Probe } from '../api/probes.ts';
import { Icon } from '../parts/Icon.tsx';
import type { Tone } from './words.ts';
import { isAlive } from './words.ts';

const ICONS = { ok: CircleCheck, wait: Hourglass, warn: CircleAlert, bad: Ban, off: CircleDashed };
const COLOURS: Record<Tone, string> = { ok: 'okc', wait: 'd3', warn: 'wrn', bad: 'err', off: 'd3' };

export const colourOf = (tone: Tone): string => COLOURS[tone];

export function ToneIcon({ tone }: { tone: Tone }) {
  return (
    <span class={COLOURS[tone]}>
      <Icon icon={ICONS[tone]} size={14} />
    </span>
  );
}

/** Filled when it holds values, hollow while it waits, grey when it has ended. */
export function Diamond({ probe }: { probe: Pick<Probe, 'state' | 'captures'> | undefined }) {
  const ended = probe && !isAlive(probe as Probe);
  return <span class={`dia ${ended ? 'off' : ''} ${probe && probe.captures === 0 ? 'h' : ''}`} aria-hidden="true" />;
}
