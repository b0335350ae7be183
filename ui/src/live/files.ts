// Paths of source files.
import type { FileEntry, Probe } from '../api/probes.ts';

/** Folders first, then by name as people count: `a2` before `a10`. */
export function sortedEntries(entries: readonly FileEntry[]): FileEntry[] {
  return [...entries].sort((a, b) => Number(b.dir) - Number(a.dir) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** Agents may know a file by less of its path than the tree does. */
export function sameFile(a: string, b: string): boolean {
  const [x, y] = [a.replace(/^\.\//, ''), b.replace(/^\.\//, '')];
  return x === y || x.endsWith(`/${y}`) || y.endsWith(`/${x}`);
}

/** `app`, `app/db` of `app/db/rows.py`; absolute ones from the root. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/') || '/');
}

/** `app/pricing.py:87` as a file and a line. */
export function readPlace(text: string): { file: string; line?: number } | undefined {
  const match = /^\s*(\S.*?)(?::(\d+))?\s*$/.exec(text);
  if (!match?.[1]) return undefined;
  return { file: match[1], ...(match[2] && { line: Number(match[2]) }) };
}

export function probesIn(probes: readonly Probe[], file: string): Probe[] {
  return probes.filter((probe) => probe.where.file !== undefined && sameFile(probe.where.file, file));
}

/** The probe of a line: one that still stands before one that has ended. */
export function probeAt(probes: readonly Probe[], file: string, line: number): Probe | undefined {
  const here = probesIn(probes, file).filter((probe) => probe.where.line === line);
  return here.find((probe) => probe.state !== 'done' && probe.state !== 'expired') ?? here[0];
}
