// What the list of agents says. Pure: the server's answer goes in.
import type { Agent, Rules } from '../api/agents.ts';
import { percent, plural } from '../format/number.ts';

/** The sentence over the list. */
export function summary(agents: readonly Agent[]): string {
  if (agents.length === 0) return 'An agent a host lets you look into what runs there.';
  const connected = agents.filter((agent) => agent.connected);
  const away = agents.length - connected.length;
  const sum = (of: (agent: Agent) => number) => connected.reduce((total, agent) => total + of(agent), 0);
  const parts = [
    `${plural(agents.length, 'host')}, ${away === 0 ? 'all connected' : `${away} away`}`,
    ...(connected.length > 0
      ? [
          `${plural(
            sum((agent) => agent.processes),
            'process',
            'processes',
          )}, ${sum((agent) => agent.attached)} attached`,
        ]
      : []),
  ];
  return `${parts.join('; ')}.`;
}

/** What something may be wrong with comes first, then by name. */
export function byAttention(agents: readonly Agent[]): Agent[] {
  const rank = (agent: Agent) => (agent.copied || agent.refused > 0 ? 0 : agent.connected ? 2 : 1);
  return [...agents].sort((a, b) => rank(a) - rank(b) || a.host.localeCompare(b.host));
}

/** The host that has come since: the connected one when there are several. */
export function arrived(agents: readonly Agent[], before: ReadonlySet<string>): Agent | undefined {
  const fresh = agents.filter((agent) => !before.has(agent.id));
  return fresh.find((agent) => agent.connected) ?? fresh[0];
}

/** Of one core; what cannot be measured is not said to be nothing. */
export function costWords(ratio: number): string {
  return ratio > 0 && ratio < 0.001 ? `<${percent(0.001)}` : percent(ratio);
}

/** What proves that a key is used in two places. */
export function copiedWords(copied: NonNullable<Agent['copied']>): string {
  const proof = {
    machine: 'another machine showed its key, and was refused',
    turn: 'its key was shown with a turn that another connection had had, and was refused',
    second: 'two connections with its key were alive at once; the second was refused',
  }[copied.why];
  return `${proof}${copied.times > 1 ? `, ${copied.times} times` : ''}. Whoever has a copy may be the one that is let in: remove this agent, and enrol the host anew.`;
}

export function policyWords(policy: Agent['policy']): string {
  if (policy === 'shapes') return 'types and sizes';
  return policy === 'values' ? 'values' : 'not known';
}

/** `services shop-*, not shop-payments`; `all environments but prod*`. */
function listWords(kind: string, items: readonly string[] = []): string | undefined {
  if (items.length === 0) return;
  const name = (item: string) => (item === '-' ? 'without a name' : item);
  const out = items.filter((item) => item.startsWith('!')).map((item) => name(item.slice(1)));
  const only = items.filter((item) => !item.startsWith('!')).map(name);
  if (only.length === 0) return `all ${kind} but ${out.join(', ')}`;
  return `${kind} ${only.join(', ')}${out.length > 0 ? `, not ${out.join(', ')}` : ''}`;
}

/** What the host's policy leaves out, as a line under it; nothing where it leaves nothing out. */
export function rulesWords({ policy, rules = {} }: { policy?: Agent['policy']; rules?: Rules }): string | undefined {
  const into = [
    listWords('services', rules.services),
    listWords('environments', rules.environments),
    listWords('users', rules.users),
    listWords('control groups', rules.cgroups),
  ].filter((words) => words !== undefined);
  const shapes = [listWords('services', rules.shapes_services), listWords('environments', rules.shapes_environments)].filter(
    (words) => words !== undefined,
  );
  const parts = [
    ...(into.length > 0 ? [`May look into: ${into.join('; ')}`] : []),
    ...(policy !== 'shapes' && shapes.length > 0 ? [`Types and sizes only: ${shapes.join('; ')}`] : []),
  ];
  if (parts.length === 0) return rules.more ? 'Its agent.conf leaves out more than is shown here.' : undefined;
  return `${parts.join('. ')}${rules.more ? `, and ${rules.more} more in its agent.conf` : ''}.`;
}
