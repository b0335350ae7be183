// The variables of a frame as rows of a tree: which are open, what a search finds, where an object was seen first.
import type { Capture, Captured, CapturedFrame, Expression, Variable } from '../api/snapshots.ts';
import { childrenOf, holds, nameStep, oneLine, type Reason, restText, typeText } from './value.ts';

export interface Root {
  /** What it is called in this frame. */
  name: string;
  /** As the expression language names it at the probe; undefined: it cannot. */
  path: string | undefined;
  group: Group;
  value?: Captured;
  /** An expression that failed, with why. */
  error?: string;
}

export type Group = 'Expressions' | 'Return value' | 'Exception' | 'Arguments' | 'Locals' | 'Closure' | 'Globals';

const GROUPS: Record<string, Group> = { arg: 'Arguments', local: 'Locals', closure: 'Closure', global: 'Globals' };
const ORDER: Group[] = ['Exception', 'Return value', 'Expressions', 'Arguments', 'Locals', 'Closure', 'Globals'];

/** What is known in a frame; expressions, the return value and the exception are the innermost's. */
export function rootsOf(capture: Capture, frame: number): Root[] {
  const roots: Root[] = [];
  if (frame === 0) {
    const { exception, exprs = [] } = capture;
    if (exception?.value)
      roots.push({ name: exception.type ?? 'exception', path: '@exception', group: 'Exception', value: exception.value });
    if (capture.return) roots.push({ name: 'returned', path: '@return', group: 'Return value', value: capture.return });
    for (const one of exprs) roots.push(ofExpression(one));
  }
  for (const one of capture.frames?.[frame]?.vars ?? []) roots.push(ofVariable(one, frame));
  return roots.sort((a, b) => ORDER.indexOf(a.group) - ORDER.indexOf(b.group));
}

/** What a step can follow as it stands. */
const SIMPLE = /^[\p{L}\p{N}_$.?@`[\]"']+$|^\w+\([^()]*\)$/u;

function ofExpression(one: Expression): Root {
  return {
    name: one.text,
    path: SIMPLE.test(one.text) ? one.text : `(${one.text})`,
    group: 'Expressions',
    ...(one.value && { value: one.value }),
    ...(one.error !== undefined && { error: one.error }),
  };
}

function ofVariable(one: Variable, frame: number): Root {
  const name = nameStep(one.name);
  return {
    name: one.name,
    path: frame === 0 ? name : `@frame(${frame}).${name}`,
    group: GROUPS[one.kind ?? ''] ?? 'Locals',
    value: one.value,
  };
}

export interface Row {
  /** Stable as long as the snapshot is the same one. */
  id: string;
  name: string;
  path: string | undefined;
  depth: number;
  group: Group;
  value?: Captured;
  error?: string;
  /** It stands for what is not here. */
  rest?: Reason;
  /** undefined: nothing is in it. */
  open?: boolean;
  parent: string | undefined;
  /** What this refers to, as an expression names it. */
  same?: string;
  found?: boolean;
  /** Among its siblings, from 1. */
  at: number;
  of: number;
}

const SEARCHED = 20_000;

/** Ids of the rows that a search finds, and of those that hold them. */
export interface Found {
  hits: Set<string>;
  open: Set<string>;
}

export function search(roots: readonly Root[], text: string): Found | undefined {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return undefined;
  const found: Found = { hits: new Set(), open: new Set() };
  let left = SEARCHED;
  const walk = (id: string, name: string, value: Captured | undefined, above: string[]): void => {
    if (left-- <= 0) return;
    const says = `${name} ${value ? (childrenOf(value).length > 0 ? typeText(value) : `${oneLine(value, true)} ${typeText(value)}`) : ''}`;
    if (says.toLowerCase().includes(wanted)) {
      found.hits.add(id);
      for (const one of above) found.open.add(one);
    }
    if (value) for (const [at, child] of childrenOf(value).entries()) walk(`${id}/${at}`, child.name, child.value, [...above, id]);
  };
  for (const [at, root] of roots.entries()) walk(String(at), root.name, root.value, []);
  return found;
}

/** Where an object was captured. */
export interface Place {
  path: string;
  frame: number;
  /** Its row in that frame. */
  row: string;
}

/** Of each object that something refers to, by its id. */
export function places(capture: Capture): Map<number, Place> {
  const known = new Map<number, Place>();
  let left = SEARCHED;
  const walk = (value: Captured, path: string, frame: number, row: string): void => {
    if (left-- <= 0) return;
    if (value.id !== undefined && !known.has(value.id)) known.set(value.id, { path, frame, row });
    for (const [at, child] of childrenOf(value).entries())
      walk(child.value, `${path}${child.step ?? `{${child.name}}`}`, frame, `${row}/${at}`);
  };
  for (let frame = 0; frame < (capture.frames?.length ?? 0); frame++)
    for (const [at, root] of rootsOf(capture, frame).entries()) if (root.value) walk(root.value, root.path ?? root.name, frame, String(at));
  return known;
}

/** The rows that hold a row: `1`, `1/0` of `1/0/2`. */
export function rowsAbove(row: string): string[] {
  const parts = row.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** At first so many of a value are shown; the row "more" adds others. */
export const AT_ONCE = 100;

export interface View {
  open: ReadonlySet<string>;
  /** How many children are shown of those with many. */
  most?: ReadonlyMap<string, number>;
  found?: Found | undefined;
  known?: ReadonlyMap<number, Place>;
}

/** The rows that are to be seen; a search leaves those that it found, their holders, and what they hold. */
export function rowsOf(roots: readonly Root[], view: View): Row[] {
  const rows: Row[] = [];
  const { found, known } = view;
  const put = (row: Row): void => {
    const { value, id } = row;
    const opens = value !== undefined && holds(value) && value.k !== 'str' && value.k !== 'bytes';
    if (opens) row.open = view.open.has(id) || found?.open.has(id) === true;
    if (value?.k === 'ref') {
      const same = known?.get(Number(value.v))?.path;
      if (same !== undefined) row.same = same;
    }
    if (found?.hits.has(id)) row.found = true;
    rows.push(row);
    if (!row.open || !value) return;
    const children = childrenOf(value);
    // Below a row that is found all is to be seen; above it only the way to it.
    const through = found && !found.hits.has(id) && found.open.has(id) && !view.open.has(id);
    const most = view.most?.get(id) ?? AT_ONCE;
    const wanted = children
      .map((child, at) => ({ child, at, id: `${id}/${at}` }))
      .filter((one) => !through || found.hits.has(one.id) || found.open.has(one.id));
    const rest = through ? undefined : restText(value);
    const of = Math.min(wanted.length, most) + (wanted.length > most ? 1 : 0) + (rest ? 1 : 0);
    for (const [n, one] of wanted.slice(0, most).entries())
      put({
        id: one.id,
        name: one.child.name,
        path: row.path === undefined || one.child.step === undefined ? undefined : row.path + one.child.step,
        depth: row.depth + 1,
        group: row.group,
        value: one.child.value,
        parent: id,
        at: n + 1,
        of,
      });
    if (wanted.length > most)
      rows.push({ ...gap(row, `${id}/more`, of), at: of - (rest ? 1 : 0), name: `${wanted.length - most} more, captured` });
    if (rest) rows.push({ ...gap(row, `${id}/rest`, of), at: of, name: '…', rest });
  };
  const tops = roots.map((root, at) => ({ root, id: String(at) })).filter(({ id }) => !found || found.hits.has(id) || found.open.has(id));
  for (const [n, { root, id }] of tops.entries())
    put({
      id,
      name: root.name,
      path: root.path,
      depth: 0,
      group: root.group,
      parent: undefined,
      at: n + 1,
      of: tops.length,
      ...(root.value && { value: root.value }),
      ...(root.error !== undefined && { error: root.error }),
    });
  return rows;
}

const gap = (row: Row, id: string, of: number): Row => ({
  id,
  name: '',
  path: undefined,
  depth: row.depth + 1,
  group: row.group,
  parent: row.id,
  at: of,
  of,
});

export const isMore = (row: Row): boolean => row.id.endsWith('/more');

/** The frame to be seen first: the innermost of one's own that has variables, else the innermost. */
export function frameAtFirst(frames: readonly CapturedFrame[]): number {
  const own = frames.findIndex((frame) => frame.in_app && (frame.vars?.length ?? 0) > 0);
  return Math.max(own, 0);
}

export function placeOf(frame: { file?: string; line?: number; module?: string }): string {
  const where = frame.file ?? frame.module ?? '';
  return frame.line ? `${where}:${frame.line}` : where;
}

/** `pricing.py:87`, where there is little room. */
export const shortPlace = (frame: { file?: string; line?: number; module?: string }): string =>
  placeOf({ ...frame, ...(frame.file && { file: frame.file.split('/').at(-1) ?? frame.file }) });
