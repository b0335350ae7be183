// Keys. The page that is open registers what it understands; single letters are off while somebody types.
import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { inFlight } from '../api/client.ts';
import { path } from './route.ts';

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

/** Letters that came while a page was still loading and nothing understood them: wishes, kept until it does. */
let early: { event: KeyboardEvent; path: string; at: number }[] = [];
const EARLY_MOST = 8;
const EARLY_MS = 10_000;

function keepEarly(event: KeyboardEvent, name: string): void {
  if (name.length !== 1 || name === ' ' || inFlight.peek() === 0) return;
  if (early.length < EARLY_MOST) early.push({ event, path: path.peek(), at: performance.now() });
}

/** What else the reader does shows that he no longer waits for it. */
export function forgetEarly(): void {
  early = [];
}

/** One at a time: what a key does is drawn before the next is understood. */
function runEarly(): void {
  early = early.filter((one) => one.path === path.peek() && performance.now() - one.at < EARLY_MS);
  const name = early[0] && nameOf(early[0].event);
  const binding = name && bindingOf(name);
  if (!binding) return;
  const event = early.shift()?.event;
  if (event) binding.run(event);
  if (early.length > 0) setTimeout(runEarly);
}

function bindingOf(wanted: string): KeyBinding | undefined {
  for (const group of [...groups.value].reverse()) {
    const binding = group.bindings.find((candidate) => candidate.keys.includes(wanted));
    if (binding) return binding;
  }
  return undefined;
}

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
  const binding = bindingOf(wanted);
  if (binding) {
    forgetEarly();
    event.preventDefault();
    binding.run(event);
    return;
  }
  if (groups.value.some((group) => group.bindings.some((b) => b.keys.some((key) => key.startsWith(`${name} `))))) {
    pending = name;
    pendingTimer = setTimeout(() => (pending = ''), 1200);
  } else keepEarly(event, name);
}

/** Understood while the component is there. Replaced with each render before anybody can press the next key. */
export function useKeys(title: string, bindings: KeyBinding[]): void {
  useLayoutEffect(() => {
    const group = { title, bindings };
    groups.value = [...groups.value, group];
    if (early.length > 0) setTimeout(runEarly);
    return () => {
      groups.value = groups.value.filter((other) => other !== group);
    };
  });
}
