// The crosshair and the box that all charts of a page share: a moment and a range of it, in ms.
import { signal } from '@preact/signals';
import type { Span } from './scale.ts';

export const crosshair = signal<number | undefined>(undefined);
/** What the reader marked, and in which chart: the bar with what can be done stands there. */
export const brush = signal<(Span & { chart: string }) | undefined>(undefined);
