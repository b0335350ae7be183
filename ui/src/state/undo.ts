// What can be taken back for 8 s is done only after them: nothing has to be restored, and nobody is asked beforehand.
import { signal } from '@preact/signals';

export const UNDO_MS = 8000;

export interface Pending {
  says: string;
  /** What it is about, so that a list can leave it out meanwhile. */
  subject: string;
}

interface Deed extends Pending {
  run: (leaving: boolean) => Promise<void>;
}

export const pending = signal<Pending | undefined>(undefined);
let deed: Deed | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** leaving: the page goes away, the request must outlive it. An earlier one that waits is done at once. */
export function later(subject: string, says: string, run: (leaving: boolean) => Promise<void>): void {
  commit(false);
  deed = { subject, says, run };
  pending.value = { subject, says };
  timer = setTimeout(() => commit(false), UNDO_MS);
}

export function undo(): void {
  clearTimeout(timer);
  deed = undefined;
  pending.value = undefined;
}

export function commit(leaving: boolean): void {
  clearTimeout(timer);
  const now = deed;
  deed = undefined;
  // It stays out of the list until the request has been answered.
  if (!now) return;
  void now.run(leaving).finally(() => {
    if (!deed && pending.value?.subject === now.subject) pending.value = undefined;
  });
}

if (typeof window !== 'undefined') addEventListener('pagehide', () => commit(true));
