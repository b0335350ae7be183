// Colours for canvases: the tokens as they are now. Read once a change of theme.
import { computed } from '@preact/signals';
import { HUES } from '../state/services.ts';
import { themeEpoch } from '../state/theme.ts';

const NAMES = [
  'bg',
  'surface',
  'hover',
  'selected',
  'fill',
  'line',
  'line-2',
  'text',
  'text-2',
  'text-3',
  'text-off',
  'accent',
  'accent-soft',
  'accent-line',
  'focus',
  'error',
  'error-mark',
  'warn',
  'warn-mark',
  'vol',
  'live',
  'live-soft',
  'hl-find',
] as const;
type Name = (typeof NAMES)[number];

export interface Palette {
  is: Record<Name, string>;
  warnSoft: string;
  service: string[];
  heat: string[];
  pick: string[];
  font: string;
  mono: string;
}

export const palette = computed<Palette>(() => {
  themeEpoch.value;
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const list = (name: string, n: number) => Array.from({ length: n }, (_, i) => read(`${name}-${i + 1}`));
  return {
    is: Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Record<Name, string>,
    warnSoft: read('warn-soft'),
    service: list('svc', HUES),
    heat: list('heat', 7),
    pick: list('pick', 6),
    font: read('font'),
    mono: read('mono'),
  };
});
