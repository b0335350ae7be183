// What figures of a release say.
import type { Release, Upload } from '../api/releases.ts';
import { NNBSP, plural } from '../format/number.ts';
import { term } from '../query/write.ts';
import { href } from '../state/route.ts';

/** A share of sessions that is not all of them never reads as 100 %: each crash shows. */
export function crashFree(share: number | undefined): string {
  if (share === undefined) return '–';
  if (share === 1) return `100${NNBSP}%`;
  return `${Math.min(99.99, Math.floor(share * 10_000) / 100).toFixed(2)}${NNBSP}%`;
}

/** Points of percent against the release before, when they are worth a word. */
export function against(now: number | undefined, before: number | undefined): { text: string; worse: boolean } | undefined {
  if (now === undefined || before === undefined) return undefined;
  const points = (now - before) * 100;
  if (Math.abs(points) < 0.01) return undefined;
  return { text: `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(2)}`, worse: points < 0 };
}

/** "shop" of shop@1.4.2; empty when the version names none. */
export const packageOf = ({ version }: { version: string }): string => version.slice(0, Math.max(version.lastIndexOf('@'), 0));

/** The next older one of the same project and package, in a list that has the newest first. */
export function formerOf(list: readonly Release[], index: number): Release | undefined {
  const it = list[index];
  return list.slice(index + 1).find((one) => one.project === it?.project && (!packageOf(it) || packageOf(one) === packageOf(it)));
}

/** The last deploy to each environment, newest first. */
export function lastDeploys(release: Release): { environment: string; time: string }[] {
  const seen = new Set<string>();
  return release.deploys.filter(({ environment }) => !seen.has(environment) && seen.add(environment));
}

/** A string of the query language. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The page of a release. Two projects may have the same version: the address says whose it is. */
export function releaseHref({ version, project }: { version: string; project: string }, kept: Record<string, string | undefined>): string {
  return href(`/releases/${encodeURIComponent(version)}`, { ...kept, project });
}

/** The crashed among all, where there was anything to crash. */
export function crashShares(all: readonly number[], crashed: readonly number[]): (number | null)[] {
  return all.map((n, index) => (n > 0 ? Math.min(n, crashed[index] ?? 0) / n : null));
}

/** "3 bundles, 1 file" */
export function uploadWords(uploads: readonly Upload[]): string {
  const n = new Map<Upload['kind'], number>();
  for (const one of uploads) n.set(one.kind, (n.get(one.kind) ?? 0) + 1);
  return [...n].map(([kind, many]) => plural(many, KIND_WORDS[kind])).join(', ');
}

export const KIND_WORDS: Record<Upload['kind'], string> = { bundle: 'bundle', file: 'file', debug: 'debug file' };

/** "2 files, 2 maps" */
export function filesWords({ files, maps }: Upload): string {
  return [files && plural(files, 'file'), maps && plural(maps, 'map')].filter(Boolean).join(', ');
}

/** What was seen in a release; of another field than `release` when one is named. */
export function eventsQuery({ version, project }: { version: string; project: string }, source = 'events', field = 'release'): string {
  return `${source} ${term('project', project)} ${field}=${quoted(version)}`;
}

/** Buckets of whole minutes, at most so many of them. */
export function stepFor(ms: number, most: number): number {
  const wanted = Math.max(1, ms / most / 60_000);
  const nice = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
  return (nice.find((minutes) => minutes >= wanted) ?? Math.ceil(wanted / 1440) * 1440) * 60_000;
}

/** "each 2 h" */
export function every(ms: number): string {
  return ms % 3_600_000 === 0
    ? `each ${ms / 3_600_000 === 1 ? 'hour' : `${ms / 3_600_000} h`}`
    : `each ${ms === 60_000 ? 'minute' : `${ms / 60_000} min`}`;
}
