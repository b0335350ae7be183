// The small marks of alerts: the state of a rule, of a firing, of a delivery; a channel's kind.
import type { IconNode } from 'lucide';
import { Mail, MessageSquare, Webhook } from 'lucide';
import type { Channel, ChannelType, Firing } from '../api/alerts.ts';
import { Icon } from '../parts/Icon.tsx';
import { type RuleState, STATE_TONE } from './words.ts';

export const CHANNEL_ICONS: Record<ChannelType, IconNode> = { webhook: Webhook, slack: MessageSquare, mail: Mail };

export function RulePill({ state }: { state: RuleState }) {
  return <span class={`pill ${STATE_TONE[state]}`}>{state}</span>;
}

export function ChannelChips({ ids, channels }: { ids: readonly number[]; channels: readonly Channel[] }) {
  if (ids.length === 0) return <span class="why">no channel: only listed</span>;
  return (
    <span class="row chips">
      {ids.map((id) => {
        const channel = channels.find((one) => one.id === id);
        return (
          <span class={`chip cut ${channel?.trouble ? 'bad' : ''}`} key={id} title={channel?.trouble ?? channel?.target}>
            {channel && <Icon icon={CHANNEL_ICONS[channel.type]} size={12} />}
            <span class="cut">{channel?.name ?? `channel ${id}`}</span>
          </span>
        );
      })}
    </span>
  );
}

/** Still so, over, or of a moment. */
export function FiringPill({ firing }: { firing: Firing }) {
  if (firing.open) return <span class="pill e">open</span>;
  if (firing.suppressed) return <span class="pill">silent</span>;
  return firing.closed ? <span class="pill k">over</span> : <span class="pill">fired</span>;
}
