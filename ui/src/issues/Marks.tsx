// The small marks of an issue: its state, how urgent it is, whose it is.
import { UsersRound } from 'lucide';
import type { Assignee, Issue, Priority, State } from '../api/issues.ts';
import { SparkBars } from '../charts/Spark.tsx';
import { Icon } from '../parts/Icon.tsx';
import { initials, STATE_TONE, STATE_WORDS } from './words.ts';

export function StatePill({ state }: { state: State }) {
  return <span class={`pill ${STATE_TONE[state]}`}>{STATE_WORDS[state]}</span>;
}

const BARS: Record<Priority, number> = { high: 3, medium: 2, low: 1 };

export function PriorityBars({ priority = 'low' }: { priority?: Priority | undefined }) {
  return (
    <span class={`pr p${BARS[priority]}`} role="img" aria-label={`${priority} priority`} title={`${priority} priority`}>
      <i />
      <i />
      <i />
    </span>
  );
}

export function Avatar({ of }: { of: Assignee | null | undefined }) {
  if (!of) return <span class="av nobody" role="img" aria-label="nobody has it" title="nobody has it" />;
  return (
    <span class={`av ${of.kind === 'team' ? 't' : ''}`} role="img" aria-label={of.name} title={of.name}>
      {of.kind === 'team' ? <Icon icon={UsersRound} size={12} /> : initials(of.name)}
    </span>
  );
}

const TONES: Record<State, 'e' | 'w' | undefined> = {
  new: 'e',
  regressed: 'w',
  escalating: 'w',
  ongoing: undefined,
  archived: undefined,
  resolved: undefined,
};

export function IssueSpark({ issue, width = 92 }: { issue: Issue; width?: number }) {
  const tone = TONES[issue.state];
  return <SparkBars values={issue.spark ?? []} width={width} height={22} {...(tone && { tone })} />;
}
