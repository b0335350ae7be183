import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { commit, later, pending, UNDO_MS, undo } from './undo.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  undo();
  vi.useRealTimers();
});

it('is done after eight seconds, not before', async () => {
  const run = vi.fn(async () => {});
  later('token 3', 'ci is revoked', run);
  expect(pending.value).toEqual({ subject: 'token 3', says: 'ci is revoked' });
  await vi.advanceTimersByTimeAsync(UNDO_MS - 1);
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledExactlyOnceWith(false);
  expect(pending.value).toBeUndefined();
});

it('can be taken back', async () => {
  const run = vi.fn(async () => {});
  later('token 3', 'ci is revoked', run);
  undo();
  await vi.advanceTimersByTimeAsync(UNDO_MS * 2);
  expect(run).not.toHaveBeenCalled();
  expect(pending.value).toBeUndefined();
});

it('is done at once when a further one follows, or the page goes away', async () => {
  const first = vi.fn(async () => {});
  const second = vi.fn(async () => {});
  later('a', 'a', first);
  later('b', 'b', second);
  expect(first).toHaveBeenCalledExactlyOnceWith(false);
  await vi.advanceTimersByTimeAsync(0);
  expect(pending.value?.subject).toBe('b');
  commit(true);
  expect(second).toHaveBeenCalledExactlyOnceWith(true);
});
