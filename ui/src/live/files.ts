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

type Functions = readonly { name: string; line: number; end?: number }[];

/** Where in a file a probe is shown: its line, which may be another in the version that the process runs; of a function where that
 * begins; of all exceptions in the file at its top. */
export function lineIn({ where, instances }: Probe, functions: Functions, process?: string): number | undefined {
  const there = process === undefined ? undefined : instances.find((one) => one.process === process);
  if (there?.state === 'mismatch') return undefined;
  if (where.line !== undefined) return there?.line ?? where.line;
  if (where.function !== undefined) return functions.find(({ name }) => isCalled(name, where.function ?? ''))?.line;
  return where.exception === undefined ? undefined : 1;
}

/** `Order.total` is known as `total`, too. */
const isCalled = (name: string, as: string) => name === as || name.endsWith(`.${as}`);

/** The innermost function that a line is in. */
export function functionAt(functions: Functions, line: number): string | undefined {
  const around = functions.filter((one) => one.line <= line && (one.end === undefined || line <= one.end));
  return around.sort((a, b) => b.line - a.line)[0]?.name;
}

/** It counts hits in a metric, and captures nothing. */
export const isCounting = (probe: Pick<Probe, 'kind'>) => probe.kind === 'metric' || probe.kind === 'timer';

/** Those of each line: one that still stands before one that has ended, one that captures before one that counts. */
export function probesByLine(probes: readonly Probe[], file: string, functions: Functions = [], process?: string): Map<number, Probe[]> {
  const lines = new Map<number, Probe[]>();
  const rank = (probe: Probe) => (probe.state === 'done' || probe.state === 'expired' ? 2 : isCounting(probe) ? 1 : 0);
  for (const probe of probesIn(probes, file)) {
    const at = lineIn(probe, functions, process);
    if (at !== undefined) lines.set(at, [...(lines.get(at) ?? []), probe]);
  }
  for (const here of lines.values()) here.sort((a, b) => rank(a) - rank(b));
  return lines;
}
