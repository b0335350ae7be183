// What is done to a monitor.
import { Ellipsis } from 'lucide';
import type { Monitor } from '../api/monitors.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { go } from '../state/route.ts';
import { change, remove } from './deeds.ts';

export function MonitorMenu({ monitor, gone, class: className = 'btn g s i' }: { monitor: Monitor; gone?: () => void; class?: string }) {
  return (
    <Popover class={className} title={`What can be done with ${monitor.name}`} label={<Icon icon={Ellipsis} size={14} />}>
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
            {item('Edit', () => go(`/monitors/${monitor.id}?edit=1`))}
            {item(monitor.muted ? 'Unmute' : 'Mute: no issue, no alert', () => void change(monitor, { muted: !monitor.muted }))}
            {item(monitor.disabled ? 'Enable' : 'Disable: take no check-ins', () => void change(monitor, { disabled: !monitor.disabled }))}
            {item('Delete', () => {
              remove(monitor);
              gone?.();
            })}
          </>
        );
      }}
    </Popover>
  );
}
