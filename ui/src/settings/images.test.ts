import { describe, expect, it } from 'vitest';
import { inOrder, type Shot, type SnapshotDetail, said } from './images.ts';

const shot = (name: string, more: Partial<Shot> = {}): Shot => ({ name, hash: 'a', width: 1, height: 1, size: 1, ...more });
const entry = { id: 1, app: 'till', created: '2026-01-01T00:00:00Z', count: 1, size: 1, selective: false };
const detail = (images: Shot[], more: Partial<SnapshotDetail> = {}): SnapshotDetail => ({ ...entry, images, removed: [], ...more });

describe('images of a snapshot', () => {
  it('come with what changed first, and groups together', () => {
    const { different, alike } = inOrder(
      detail(
        [shot('a', { group: 'z' }), shot('b', { change: 'added' }), shot('c'), shot('d', { change: 'changed' }), shot('e', { group: 'z' })],
        {
          removed: [shot('gone')],
        },
      ),
    );
    expect(different.map((one) => [one.name, one.change])).toEqual([
      ['d', 'changed'],
      ['b', 'added'],
      ['gone', 'removed'],
    ]);
    expect(alike.map((one) => one.name)).toEqual(['c', 'a', 'e']);
  });

  it('are said to differ in words', () => {
    const base = { ...entry, branch: 'main', commit: 'abcdef0123' };
    expect(said(detail([shot('a')]))).toBe('1 image. No earlier snapshot of till is here that they could be compared with.');
    expect(said(detail([shot('a'), shot('b', { change: 'changed' })], { base, removed: [shot('c')] }))).toBe(
      'Against main abcdef0: 1 changed, 1 removed, 1 the same.',
    );
    expect(said(detail([shot('a')], { base: entry }))).toBe('Against the snapshot before: 1 the same.');
  });
});
