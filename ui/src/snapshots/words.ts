// What is said of a snapshot.
import type { Capture } from '../api/snapshots.ts';
import { bytes, duration, plural } from '../format/number.ts';

const KINDS: Record<string, string> = {
  snapshot: 'Snapshot',
  exception: 'Snapshot of an exception',
  log: 'Log line',
  metric: 'Measurement',
  timer: 'Timing',
};

export const kindText = (kind: string | undefined): string => KINDS[kind ?? ''] ?? 'Snapshot';

/** `2.9 KB in 0.3 µs`. */
export function costText(capture: Capture): string {
  const size = capture.bytes === undefined ? '' : bytes(capture.bytes);
  const cost = capture.cost_ns === undefined ? '' : duration(capture.cost_ns);
  return size && cost ? `${size} in ${cost}` : size || cost;
}

/** What was taken away, and what was lost before it. */
export function lossText(capture: Capture): string[] {
  const { redacted = 0, dropped_before: dropped = 0 } = capture;
  return [
    ...(redacted > 0 ? [`${plural(redacted, 'value')} redacted`] : []),
    ...(dropped > 0 ? [`${plural(dropped, 'hit')} before it dropped`] : []),
  ];
}
