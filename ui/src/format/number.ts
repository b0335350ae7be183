// Numbers as people read them: number, narrow no-break space, unit (docs: design tokens beside styles/tokens.css).

export const NNBSP = '\u202f';

function withCommas(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

/** Whole below ten thousand, then k, M, G with three digits. */
export function count(n: number): string {
  const size = Math.abs(n);
  if (size < 10_000) return withCommas(n);
  if (size < 999_500) return `${digits(n / 1e3)}${NNBSP}k`;
  if (size < 999_500_000) return `${digits(n / 1e6)}${NNBSP}M`;
  return `${digits(n / 1e9)}${NNBSP}G`;
}

/** Three significant digits from 10 on, two below. */
function digits(n: number): string {
  const size = Math.abs(n);
  if (size >= 99.95) return n.toFixed(0);
  if (size >= 9.95) return n.toFixed(1);
  return n.toFixed(1);
}

/** `1 span`, `39 spans`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function percent(share: number): string {
  const p = share * 100;
  return `${p >= 10 || p === 0 ? p.toFixed(0) : p.toFixed(1)}${NNBSP}%`;
}

const STEPS: [number, string][] = [
  [1e3, 'µs'],
  [1e6, 'ms'],
  [1e9, 's'],
  [60e9, 'min'],
  [3600e9, 'h'],
];

/** A duration in ns. Milliseconds stay milliseconds up to ten seconds, so that a column of them compares. */
export function duration(ns: number): string {
  const size = Math.abs(ns);
  if (size === 0) return `0${NNBSP}ms`;
  if (size < 1e3) return `${Math.round(ns)}${NNBSP}ns`;
  if (size >= 999.5e3 && size < 9999.5e6) return `${short(ns / 1e6)}${NNBSP}ms`;
  let step = STEPS[0] as [number, string];
  for (const candidate of STEPS) if (size >= candidate[0]) step = candidate;
  if (size >= 999.5e3 && step[1] === 'µs') step = STEPS[1] as [number, string];
  return `${short(ns / step[0])}${NNBSP}${step[1]}`;
}

function short(n: number): string {
  return Math.abs(n) < 9.95 ? n.toFixed(1) : withCommas(n);
}

/** A duration on an axis: the unit is the step's, so that labels of one axis share it. */
export function durationTick(ns: number, step: number): string {
  if (ns === 0) return `0${NNBSP}ms`;
  let unit = STEPS[0] as [number, string];
  for (const candidate of STEPS) if (Math.abs(ns) >= candidate[0] && step >= candidate[0] / 1000) unit = candidate;
  const value = ns / unit[0];
  const decimals = Math.max(0, Math.min(3, -Math.floor(Math.log10(step / unit[0]) + 1e-9)));
  return `${value.toFixed(decimals).replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))}${NNBSP}${unit[1]}`;
}

/** Bytes, 1000 to the KB. */
export function bytes(n: number): string {
  if (n < 1000) return `${n}${NNBSP}B`;
  if (n < 999_500) return `${digits(n / 1e3)}${NNBSP}KB`;
  if (n < 999_500_000) return `${digits(n / 1e6)}${NNBSP}MB`;
  return `${digits(n / 1e9)}${NNBSP}GB`;
}
