// What differs between two snapshots of one place, variable by variable.
import type { Capture, Captured } from '../api/snapshots.ts';
import { type Place, places, type Root, rootsOf } from './tree.ts';
import { childrenOf, oneLine, restText, whyText } from './value.ts';

export interface Difference {
  /** Where both have it, as an expression names it where it can. */
  path: string;
  frame: number;
  /** undefined: it is not there. */
  before?: Captured;
  after?: Captured;
}

const MOST = 500;

export interface Differences {
  rows: Difference[];
  /** Values that are the same in both. */
  same: number;
  /** There are more. */
  cut: boolean;
}

export function differences(before: Capture, after: Capture): Differences {
  const found: Differences = { rows: [], same: 0, cut: false };
  const known = [places(before), places(after)] as const;
  const said = new Set<string>();
  const put = (row: Difference) => {
    // An expression may name what a variable holds: said once.
    const words = [row.frame, row.path, row.before && told(row.before, known[0]), row.after && told(row.after, known[1])].join('\n');
    if (said.has(words)) return;
    said.add(words);
    if (found.rows.length < MOST) found.rows.push(row);
    else found.cut = true;
  };
  const walk = (a: Captured | undefined, b: Captured | undefined, path: string, frame: number): void => {
    if (!a || !b) {
      put({ path, frame, ...(a && { before: a }), ...(b && { after: b }) });
      return;
    }
    const [left, right] = [childrenOf(a), childrenOf(b)];
    if (a.k !== b.k || a.t !== b.t || left.length === 0 || right.length === 0) {
      if (told(a, known[0]) === told(b, known[1])) found.same++;
      else put({ path, frame, before: a, after: b });
      return;
    }
    const rights = new Map(right.map((child, at) => [a.k === 'set' ? oneLine(child.value) : child.name, { child, at }]));
    for (const child of left) {
      const key = a.k === 'set' ? oneLine(child.value) : child.name;
      const other = rights.get(key);
      rights.delete(key);
      // What was cut off on the other side may well have been there.
      if (!other && restText(b)) continue;
      walk(child.value, other?.child.value, path + (child.step ?? `{${child.name}}`), frame);
    }
    if (!restText(a))
      for (const { child } of rights.values()) walk(undefined, child.value, path + (child.step ?? `{${child.name}}`), frame);
  };
  for (const frame of shared(before, after)) {
    const rights = new Map(rootsOf(after, frame).map((root) => [keyOf(root), root]));
    for (const root of rootsOf(before, frame)) {
      const other = rights.get(keyOf(root));
      rights.delete(keyOf(root));
      walk(heldBy(root), other && heldBy(other), root.path ?? root.name, frame);
    }
    for (const root of rights.values()) walk(undefined, heldBy(root), root.path ?? root.name, frame);
  }
  return found;
}

const keyOf = (root: Root) => `${root.group} ${root.name}`;

/** An expression that failed is a value that is not there. */
const heldBy = (root: Root): Captured | undefined =>
  root.value ?? (root.error === undefined ? undefined : { k: 'missing', why: 'unreadable' });

/** What is compared of one that holds nothing that both show. */
function told(value: Captured, known: ReadonlyMap<number, Place>): string {
  if (value.k === 'ref') return `ref ${known.get(Number(value.v))?.path ?? value.v}`;
  return `${value.t ?? value.k} ${value.k === 'str' ? `${value.v} ${value.n ?? ''}` : oneLine(value, false, 4000)} ${whyText(value) ?? ''} ${value.n ?? ''}`;
}

/** Frames that are the same function in both, from the innermost. */
function shared(a: Capture, b: Capture): number[] {
  const frames: number[] = [];
  const [left, right] = [a.frames ?? [], b.frames ?? []];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    if (left[at]?.function !== right[at]?.function || left[at]?.file !== right[at]?.file) break;
    frames.push(at);
  }
  return frames.length > 0 ? frames : [0];
}
