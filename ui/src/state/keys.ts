// Keys. The page that is open registers what it understands; single letters are off while somebody types.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';

export interface KeyBinding {
  /** As KeyboardEvent.key, with "Ctrl+" or "Shift+" before it where meant; several for one action. "g t" is a sequence. */
  keys: string[];
  does: string;
  /** Shown in the bar at the foot too, in this order of pages. */
  foot?: boolean;
  run: (event: KeyboardEvent) => void;
}

interface Group {
  title: string;
  bindings: KeyBinding[];
}

export const groups = signal<Group[]>([]);
let pending = '';
let pendingTimer: ReturnType<typeof setTimeout> | undefined;

export function nameOf(event: KeyboardEvent): string {
  const ctrl = event.ctrlKey || event.metaKey ? 'Ctrl+' : '';
  const named = event.key.length > 1 && event.shiftKey ? 'Shift+' : '';
  return ctrl + named + (ctrl ? event.key.toLowerCase() : event.key);
}

export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName ?? ''));
}

export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  // A dialog keeps all keys to itself, Escape first.
  if (document.querySelector('dialog[open]')) return;
  const name = nameOf(event);
  const typing = isTyping(event.target);
  if (typing && !name.startsWith('Ctrl+')) return;
  // A control that has the focus keeps the keys that work it.
  if (/^(Enter| )$/.test(event.key) && (event.target as HTMLElement | null)?.closest('button, a, summary, [role=option]')) return;
  const wanted = pending ? `${pending} ${name}` : name;
  pending = '';
  clearTimeout(pendingTimer);
  for (const group of [...groups.value].reverse()) {
    const binding = group.bindings.find((candidate) => candidate.keys.includes(wanted));
    if (binding) {
      event.preventDefault();
      binding.run(event);
      return;
    }
  }
  if (groups.value.some((group) => group.bindings.some((b) => b.keys.some((key) => key.startsWith(`${name} `))))) {
    pending = name;
    pendingTimer = setTimeout(() => (pending = ''), 1200);
  }
}

/** Understood while the component is there. Replaced with each render before anybody can press the next key. */
export function useKeys(title: string, bindings: KeyBinding[]): void {
  useLayoutEffect(() => {
    const group = { title, bindings };
    groups.value = [...groups.value, group];
    return () => {
      groups.value = groups.value.filter((other) => other !== group);
    };
  });
}
