// What figures of a release say.
import type { Release } from '../api/releases.ts';
import { NNBSP } from '../format/number.ts';

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

/** The next older one of the same project, in a list that has the newest first. */
export function formerOf(list: readonly Release[], index: number): Release | undefined {
  return list.slice(index + 1).find((one) => one.project === list[index]?.project);
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
