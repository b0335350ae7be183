import { signal } from '@preact/signals';
import { X } from 'lucide';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Icon } from '../parts/Icon.tsx';
import { groups } from '../state/keys.ts';

export const helpOpen = signal(false);

const NAMES: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  Enter: '↵',
  ' ': 'Space',
};

/** A key as it stands on the keyboard. */
export function Keys({ of }: { of: string }) {
  // A plus joins keys that are held together; alone it is one.
  const parts = of.split(/ |(?<=\w)\+(?=.)/);
  return (
    <>
      {parts.map((part) => (
        <kbd class="kbd" key={part}>
          {NAMES[part] ?? part}
        </kbd>
      ))}
    </>
  );
}

/** All keys that work here. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useLayoutEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  const seen = new Map<string, (typeof groups.value)[number]['bindings']>();
  if (open) for (const group of groups.value) seen.set(group.title, [...(seen.get(group.title) ?? []), ...group.bindings]);
  return (
    <dialog
      ref={dialog}
      class="pop help"
      aria-label="Keys"
      onClose={(event) => {
        if (!event.currentTarget.open) helpOpen.value = false;
      }}
    >
      <div class="sec">
        <h2>Keys</h2>
        <span class="grow">single letters are off while you type</span>
        <button type="button" class="btn g s i" aria-label="Close" onClick={() => (helpOpen.value = false)}>
          <Icon icon={X} size={14} />
        </button>
      </div>
      <div class="groups scroll">
        {[...seen].reverse().map(([title, bindings]) => (
          <section key={title}>
            <h3 class="sm d3">{title}</h3>
            <dl>
              {bindings.map((binding) => (
                <div key={binding.does}>
                  <dt>
                    {binding.keys.map((key) => (
                      <Keys key={key} of={key} />
                    ))}
                  </dt>
                  <dd>{binding.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
