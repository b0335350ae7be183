// What the API says of snapshots of images, in the order and the words in which it is shown.
import { count, plural } from '../format/number.ts';

export interface SnapshotEntry {
  id: number;
  app: string;
  created: string;
  count: number;
  size: number;
  selective: boolean;
  commit?: string;
  branch?: string;
  base_commit?: string;
  base_branch?: string;
  pull_request?: number;
}

export interface Shot {
  name: string;
  hash: string;
  title?: string;
  group?: string;
  /** Absent: a browser would not show it. */
  type?: string;
  width: number;
  height: number;
  size: number;
  change?: 'added' | 'changed' | 'removed';
  base_hash?: string;
}

export interface SnapshotDetail extends SnapshotEntry {
  base?: SnapshotEntry;
  images: Shot[];
  removed: Shot[];
}

/** What was looked for first: changed, added, removed; those of a group together. */
export function inOrder(detail: SnapshotDetail): { different: Shot[]; alike: Shot[] } {
  const grouped = [...detail.images].sort((a, b) => (a.group ?? '').localeCompare(b.group ?? '') || a.name.localeCompare(b.name));
  return {
    different: [
      ...grouped.filter((shot) => shot.change === 'changed'),
      ...grouped.filter((shot) => shot.change === 'added'),
      ...detail.removed.map((shot): Shot => ({ ...shot, change: 'removed' })),
    ],
    alike: grouped.filter((shot) => !shot.change),
  };
}

/** "Against main aaaaaaa: 1 changed, 2 added, 12 the same." */
export function said(detail: SnapshotDetail): string {
  const { images, removed, base } = detail;
  if (!base) return `${plural(images.length, 'image')}. No earlier snapshot of ${detail.app} is here that they could be compared with.`;
  const of = (change: string) => images.filter((shot) => shot.change === change).length;
  const changed = of('changed');
  const added = of('added');
  const parts: [number, string][] = [
    [changed, 'changed'],
    [added, 'added'],
    [removed.length, 'removed'],
    [images.length - changed - added, 'the same'],
  ];
  const against = [base.branch, base.commit?.slice(0, 7)].filter(Boolean).join(' ') || 'the snapshot before';
  const numbers = parts.filter(([n]) => n > 0).map(([n, word]) => `${count(n)} ${word}`);
  return `Against ${against}: ${numbers.join(', ')}.`;
}
