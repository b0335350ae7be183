// Why events are one issue, in words: what of them was hashed, and what was left out.
import type { Component, Grouping, Variant } from '../api/event.ts';
import { plural } from '../format/number.ts';

export function usedVariant(grouping: Grouping): Variant | undefined {
  return grouping.variants?.find((variant) => variant.contributes) ?? grouping.variants?.find((variant) => variant.hash);
}

const isComponent = (value: unknown): value is Component => typeof value === 'object' && value !== null && 'id' in value;

export const childrenOf = (component: Component): Component[] => (component.values ?? []).filter(isComponent);
export const wordsOf = (component: Component): string[] =>
  (component.values ?? []).flatMap((value) => (isComponent(value) || value === null ? [] : [String(value)]));

export function rootsOf(variant: Variant): Component[] {
  if (!variant.components) return [];
  return Array.isArray(variant.components) ? variant.components : [variant.components];
}

interface Counted {
  types: number;
  values: number;
  frames: number;
  messages: number;
}

function tally(component: Component, into: Counted, contributes = true): void {
  const counts = contributes && component.contributes !== false;
  if (counts) {
    if (component.id === 'type') into.types++;
    if (component.id === 'value') into.values++;
    if (component.id === 'frame') into.frames++;
    if (component.id === 'message') into.messages++;
  }
  for (const child of childrenOf(component)) tally(child, into, counts);
}

/** One or two sentences. */
export function whyOne(grouping: Grouping | undefined): string | undefined {
  const variant = grouping && usedVariant(grouping);
  if (!grouping || !variant) return undefined;
  if (/custom|fingerprint/.test(variant.type) && (grouping.fingerprint?.length ?? 0) > 0) {
    const by = grouping.rule ? 'A rule of the project' : 'The program itself';
    return `${by} gives them the fingerprint ${grouping.fingerprint?.map((part) => `“${part}”`).join(', ')}.`;
  }
  const counted: Counted = { types: 0, values: 0, frames: 0, messages: 0 };
  for (const root of rootsOf(variant)) tally(root, counted);
  const parts = [
    counted.types > 1 ? `same ${counted.types} types` : counted.types === 1 ? 'same type' : '',
    counted.frames > 0 ? `same ${plural(counted.frames, variant.type === 'app' ? 'in-app frame' : 'frame')}` : '',
    counted.values + counted.messages > 0 ? 'same message, numbers and ids aside' : '',
  ].filter(Boolean);
  if (parts.length === 0) return variant.description ? `Same ${variant.description}.` : undefined;
  const said = parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : (parts[0] ?? '');
  const rest = counted.frames > 0 && counted.values === 0 ? ' Message left out: the stack was enough.' : '';
  return `${said[0]?.toUpperCase()}${said.slice(1)}.${rest}`;
}
