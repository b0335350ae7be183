import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  label: ComponentChildren;
  class?: string;
  title?: string;
  align?: 'left' | 'right';
  /** Opens upwards, for what stands at the foot of the page. */
  up?: boolean;
  children: (close: () => void) => ComponentChildren;
}

/** A button with a small menu: arrows move, Escape and a click elsewhere close. */
export function Popover({ label, class: className, title, align = 'right', up, children }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>(':scope > button')?.focus();
  };
  // With its drawing: the next key is for what is in it, and a field that the reader goes to keeps the focus.
  useLayoutEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', outside);
    root.current?.querySelector<HTMLElement>('.popover [aria-checked=true], .popover .item, .popover input')?.focus();
    return () => removeEventListener('pointerdown', outside);
  }, [open]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      event.preventDefault();
      close();
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const items = [...(root.current?.querySelectorAll<HTMLElement>('.popover .item') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (items.length === 0) return;
    event.preventDefault();
    items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length]?.focus();
  };
  return (
    <div class="menu" ref={root} onKeyDown={onKeyDown}>
      <button type="button" class={className} title={title} aria-haspopup="true" aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open && <div class={`popover pop ${align} ${up ? 'up' : ''}`}>{children(close)}</div>}
    </div>
  );
}
