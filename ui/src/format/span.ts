// Spans of time as people choose them: whole minutes, hours, days.

const UNITS: [number, string][] = [
  [604_800, 'week'],
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** `10 minutes`, `1 day`; `90 seconds` where nothing larger is whole. */
export function span(seconds: number): string {
  const [size, word] = UNITS.find(([unit]) => seconds >= unit && seconds % unit === 0) ?? [1, 'second'];
  const n = seconds / size;
  return `${n.toLocaleString('en-US')} ${word}${n === 1 ? '' : 's'}`;
}

/** `a minute`, `10 minutes`: after "in" and "every". */
export function spanIn(seconds: number): string {
  const text = span(seconds);
  if (!text.startsWith('1 ')) return text;
  return text.startsWith('1 hour') ? 'an hour' : text.replace(/^1 /, 'a ');
}
