// What is done to monitors from their list and from their page.
import { signal } from '@preact/signals';
import { ApiError } from '../api/client.ts';
import { changeMonitor, type Monitor, type MonitorInput, removeMonitor } from '../api/monitors.ts';
import { refresh } from '../state/live.ts';
import { later, pending } from '../state/undo.ts';

export const failure = signal<ApiError | undefined>(undefined);

async function run(deed: () => Promise<unknown>): Promise<void> {
  failure.value = undefined;
  try {
    await deed();
  } catch (error) {
    failure.value = error instanceof ApiError ? error : new ApiError(0, { message: String(error) });
  }
  refresh();
}

export const change = (monitor: Monitor, what: MonitorInput) => run(() => changeMonitor(monitor.id, what));

const subject = (id: number) => `monitor ${id}`;

export const isLeaving = (monitor: Monitor) => pending.value?.subject === subject(monitor.id);

export function remove(monitor: Monitor): void {
  later(subject(monitor.id), `${monitor.name} is deleted`, async (leaving) => {
    if (leaving) return removeMonitor(monitor.id, true);
    await run(() => removeMonitor(monitor.id, false));
  });
}
