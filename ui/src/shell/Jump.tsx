// Ctrl K: to a trace by its id, to a service, to a page.

import { signal } from '@preact/signals';
import type { IconNode } from 'lucide';
import { ChartNoAxesGantt, Logs, Search, SunMoon } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { getJson } from '../api/client.ts';
import { count } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import { trailFromHere } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { range } from '../state/live.ts';
import { go, href, param } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import { cycleTheme } from '../state/theme.ts';
import { type ServiceRow, type Target, targetsFor } from './targets.ts';

export const jumpOpen = signal(false);

export function JumpButton() {
  return (
    <button type="button" class="ctl jump wide" onClick={() => (jumpOpen.value = true)}>
      <Icon icon={Search} size={14} />
      <span class="grow">Jump to anything</span>
      <span class="kbd">Ctrl K</span>
    </button>
  );
}

const ICONS: Record<Target['kind'], IconNode> = {
  trace: ChartNoAxesGantt,
  service: ChartNoAxesGantt,
  traces: ChartNoAxesGantt,
  logs: Logs,
  theme: SunMoon,
};

function follow(target: Target): void {
  const keep = { from: param('from'), to: param('to') };
  if (target.kind === 'trace') go(`/traces/${target.id}`, { trail: trailFromHere() });
  else if (target.kind === 'service') go(href('/traces', { q: `spans ${term('service', target.id)}`, ...keep }));
  else if (target.kind === 'theme') cycleTheme();
  else go(href(`/${target.kind}`, keep));
}

export function Jump() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [services, setServices] = useState<ServiceRow[]>([]);
  const open = jumpOpen.value;
  useEffect(() => {
    if (!open) return dialog.current?.close();
    setText('');
    setAt(0);
    dialog.current?.showModal();
    const { from, to } = range.value;
    getJson<{ services: ServiceRow[] }>('/api/v1/services', { from, to }).then(
      (answer) => setServices(answer.services),
      () => setServices([]),
    );
  }, [open]);
  const targets = targetsFor(text, services);
  const chosen = Math.min(at, targets.length - 1);
  const run = (target: Target | undefined) => {
    if (!target) return;
    jumpOpen.value = false;
    follow(target);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, targets.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0));
    else if (event.key === 'Enter') run(targets[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} class="pop jumper" aria-label="Jump to anything" onClose={() => (jumpOpen.value = false)}>
      {open && (
        <>
          <label class="row find">
            <Icon icon={Search} size={14} />
            <input
              class="grow"
              role="combobox"
              aria-expanded="true"
              aria-controls="jump-list"
              aria-activedescendant={chosen >= 0 ? `jump-${chosen}` : undefined}
              aria-label="Trace id, service or page"
              placeholder="Trace id, service or page"
              value={text}
              spellcheck={false}
              autocomplete="off"
              onInput={(event) => {
                setText(event.currentTarget.value);
                setAt(0);
              }}
              onKeyDown={onKeyDown}
            />
          </label>
          <div id="jump-list" role="listbox" aria-label="Places" class="list scroll">
            {targets.map((target, index) => (
              <div
                class="item"
                role="option"
                id={`jump-${index}`}
                key={`${target.kind} ${target.id}`}
                aria-selected={index === chosen}
                onClick={() => run(target)}
                onPointerMove={() => setAt(index)}
              >
                {target.kind === 'service' ? <span class={`svc h${hueOf(target.id)}`} /> : <Icon icon={ICONS[target.kind]} size={14} />}
                <span class={target.kind === 'trace' ? 'mono cut' : 'cut'}>{target.label}</span>
                <span class="end d3 sm">{target.rows === undefined ? target.what : `${count(target.rows)} spans`}</span>
              </div>
            ))}
            {targets.length === 0 && (
              <p class="tip sm d3">No service of this range, no page and no trace id (16 or 32 hex digits) is called that.</p>
            )}
          </div>
        </>
      )}
    </dialog>
  );
}
