// What tokens.css promises at its head: contrast of every pair of colours that meet, and two dark blocks that say the same.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(path.join(import.meta.dirname, 'tokens.css'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');

/** The declarations of the block whose selector this is; nested ones are found too. */
function block(selector: string): Map<string, string> {
  const at = css.indexOf(`${selector} {`);
  expect(at).toBeGreaterThanOrEqual(0);
  const body = css.slice(css.indexOf('{', at) + 1, css.indexOf('}', at));
  const entries = body
    .split(';')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('--'));
  return new Map(
    entries.map((line) => [
      line.slice(2, line.indexOf(':')),
      line
        .slice(line.indexOf(':') + 1)
        .trim()
        .replace(/\s+/g, ' '),
    ]),
  );
}

const light = block(':root');
const darkBySystem = block(':root:not([data-theme="light"])');
const darkByChoice = block(':root[data-theme="dark"]');

type Rgb = [number, number, number];

function toRgb(value: string): Rgb {
  if (value === '#fff') return [255, 255, 255];
  const match = /^oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)$/.exec(value);
  if (!match) throw new Error(`not a plain colour: ${value}`);
  const [L, C, h] = [Number(match[1]), Number(match[2]), (Number(match[3]) * Math.PI) / 180];
  const a = C * Math.cos(h);
  const b = C * Math.sin(h);
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((c) => {
    const clipped = Math.min(1, Math.max(0, c));
    const encoded = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
    return Math.round(encoded * 255);
  }) as Rgb;
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((c) => {
    const s = c / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(toRgb(a)), luminance(toRgb(b))].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

const PLANES = ['bg', 'surface', 'raised', 'sunken', 'hover', 'selected', 'fill'];
const HUED = ['accent', 'live', 'error', 'warn', 'ok'];
const CODE = ['code-kw', 'code-str', 'code-num', 'code-fn', 'code-type', 'code-com'];

/** [foreground, background, least] */
function pairs(): [string, string, number][] {
  const list: [string, string, number][] = [];
  const on = (names: string[], planes: string[], least: number) => {
    for (const name of names) for (const plane of planes) list.push([name, plane, least]);
  };
  on(['text'], PLANES, 12);
  on(['text-2'], PLANES, 7);
  on(['text-3', 'accent', 'accent-hover', 'live', 'live-hover', 'error', 'warn', 'ok', ...CODE], PLANES, 4.5);
  for (const name of HUED) list.push([name, `${name}-soft`, 4.5], ['text', `${name}-soft`, 7]);
  list.push(
    ['on-ink', 'ink', 4.5],
    ['on-ink', 'ink-hover', 4.5],
    ['on-live', 'live', 4.5],
    ['text', 'hl-error', 12],
    ['text', 'hl-find', 7],
  );
  // The tag of a selection, and the cross in the error mark.
  list.push(['surface', 'accent', 4.5], ['surface', 'error-mark', 3]);
  on(['control'], ['surface', 'bg'], 3);
  on(['focus'], PLANES, 3);
  on(['error-mark', 'warn-mark', 'ok-mark'], ['surface', 'bg'], 3);
  on(
    Array.from({ length: 12 }, (_, i) => `svc-${i + 1}`),
    ['surface', 'bg'],
    3,
  );
  return list;
}

describe.each([
  ['light', light],
  ['dark', darkBySystem],
])('%s', (_name, own) => {
  const value = (name: string) => own.get(name) ?? light.get(name) ?? '';
  const foregrounds = [...new Set(pairs().map(([foreground]) => foreground))];
  it.each(foregrounds)('%s is readable on everything it stands on', (foreground) => {
    for (const [, background, least] of pairs().filter(([name]) => name === foreground)) {
      // Rounded as the head of tokens.css does: to the hundredth.
      const found = Math.round(contrast(value(foreground), value(background)) * 100) / 100;
      expect(found, `on ${background}`).toBeGreaterThanOrEqual(least);
    }
  });
});

describe('the two dark blocks', () => {
  it('say the same', () => {
    expect([...darkByChoice]).toEqual([...darkBySystem]);
  });
  it('give every colour of the light one a value of its own', () => {
    const colours = [...light].filter(([, value]) => /oklch|#/.test(value)).map(([name]) => name);
    expect(colours.filter((name) => !darkBySystem.has(name) && name !== 'ring')).toEqual([]);
  });
});
