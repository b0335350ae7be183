// Snooze, and the rest that is done to a rule.
import { AlarmClockOff, Ellipsis } from 'lucide';
import type { Rule } from '../api/alerts.ts';
import { serverNow } from '../api/client.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { go } from '../state/route.ts';
import { enable, remove, SNOOZES, snooze } from './deeds.ts';
import { isSnoozed } from './words.ts';

interface Props {
  rule: Rule;
  class?: string;
}

export function SnoozeMenu({ rule, class: className = 'btn g s' }: Props) {
  if (isSnoozed(rule, serverNow()))
    return (
      <button type="button" class={className} onClick={() => void snooze(rule, 0)}>
        <Icon icon={AlarmClockOff} size={14} />
        <span>Wake</span>
      </button>
    );
  return (
    <Popover
      class={className}
      title={`Snooze ${rule.name}`}
      label={
        <>
          <Icon icon={AlarmClockOff} size={14} />
          <span>Snooze</span>
        </>
      }
    >
      {(close) => (
        <>
          {SNOOZES.map(([label, seconds]) => (
            <button
              type="button"
              class="item"
              key={label}
              onClick={() => {
                close();
                void snooze(rule, seconds);
              }}
            >
              For {label}
            </button>
          ))}
          <p class="tip xs d3">What fires meanwhile is listed, not told</p>
        </>
      )}
    </Popover>
  );
}

export function RuleMenu({ rule, gone, class: className = 'btn g s i' }: Props & { gone?: () => void }) {
  return (
    <Popover class={className} title={`What can be done with ${rule.name}`} label={<Icon icon={Ellipsis} size={14} />}>
      {(close) => {
        const item = (label: string, run: () => void) => (
          <button
            type="button"
            class="item"
            onClick={() => {
              close();
              run();
            }}
          >
            {label}
          </button>
        );
        return (
          <>
            {item('Edit', () => go(`/alerts/${rule.id}?edit=1`))}
            {item(rule.enabled ? 'Disable' : 'Enable', () => void enable(rule, !rule.enabled))}
            {item('Delete', () => {
              remove(rule);
              gone?.();
            })}
          </>
        );
      }}
    </Popover>
  );
}
