// The bar at the foot: the keys that matter here, what the page asks, and what that cost.
import type { ComponentChildren } from 'preact';
import type { Stats } from '../api/types.ts';
import { count } from '../format/number.ts';
import { Keys } from '../shell/Help.tsx';
import { AskedButton } from './Asked.tsx';

interface FootProps {
  /** Key and what it does. */
  keys: [string, string][];
  /** Of the page's main query. */
  stats?: Stats | undefined;
  /** What was read: "spans". */
  what?: string;
  /** Instead of the cost. */
  children?: ComponentChildren;
}

export function Foot({ keys, stats, what, children }: FootProps) {
  return (
    <div class="foot">
      <FootKeys of={keys} />
      <span class="grow" />
      {children ?? <Cost stats={stats} {...(what && { what })} />}
      <AskedButton />
    </div>
  );
}

export function FootKeys({ of }: { of: [string, string][] }) {
  return (
    <>
      {of.map(([keys, does]) => (
        <span key={does}>
          <Keys of={keys} /> {does}
        </span>
      ))}
    </>
  );
}

/** "449 k spans read in 31 ms, nothing sampled", and everything that makes the answer less than whole. */
export function Cost({ stats, what = 'rows' }: { stats: Stats | undefined; what?: string }) {
  if (!stats) return null;
  const said = [`${count(stats.scanned ?? 0)} ${what} read in ${Math.max(1, Math.round(stats.ms ?? 0))}\u202fms`];
  if (stats.partial) said.push(stats.partial);
  if (stats.hidden) said.push(`${count(stats.hidden)} hidden from you`);
  if (stats.uncomparable) said.push(`${count(stats.uncomparable)} could not be compared`);
  for (const hint of stats.hints ?? []) said.push(hint);
  if (stats.approx?.length) said.push('approximate');
  if (said.length === 1) said.push('nothing sampled');
  return <span class="cost">{said.join(', ')}</span>;
}
