import { expect, test } from 'vitest';
import type { TraceFile } from '../api/types.ts';
import { filesBeside, filesInOrder, fileWords } from './files.ts';

const file = (id: number, kind: string, more: Partial<TraceFile> = {}): TraceFile => ({
  id,
  kind,
  size: 1,
  received: '2026-01-01T00:00:00Z',
  url: `/api/v1/artifacts/${id}`,
  ...more,
});

test('recordings and profiles have names, and their parts an order', () => {
  const replay = 'a1b2c3d4e5f60718';
  const files = [
    file(1, 'attachment', { name: 'screen.png' }),
    file(2, 'profile', { profile: '9f8e7d6c5b4a' }),
    file(3, 'replay', { replay, segment: 1 }),
    file(4, 'replay', { replay, segment: 0 }),
    file(5, 'replay_event', { replay, segment: 0 }),
  ];
  expect(filesInOrder(files).map(fileWords)).toEqual([
    'screen.png',
    'Replay a1b2c3d4, part 1',
    'Replay a1b2c3d4, part 2',
    'Replay a1b2c3d4, about part 1',
    'Profile 9f8e7d6c',
  ]);
  expect(filesBeside(files, [{ id: '1' }]).map(({ id }) => id)).toEqual([4, 3, 5, 2]);
});
