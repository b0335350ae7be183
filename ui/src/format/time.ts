// Times. The API's are RFC 3339 in UTC with nine digits; a Date holds three of them, so an instant is kept in two parts.
import { NNBSP } from './number.ts';

/** `ms` since the Unix epoch and the `ns` (0 to 999,999) behind it. */
export interface Instant {
  ms: number;
  ns: number;
}

export function parseInstant(text: string): Instant {
  const dot = text.indexOf('.');
  if (dot < 0) return { ms: Date.parse(text), ns: 0 };
  const digits = text
    .slice(dot + 1)
    .replace(/\D.*$/, '')
    .padEnd(9, '0');
  return { ms: Date.parse(`${text.slice(0, dot)}.${digits.slice(0, 3)}Z`), ns: Number(digits.slice(3, 9)) };
}

/** b - a in ns; exact up to 104 days. */
export function nsBetween(a: Instant, b: Instant): number {
  return (b.ms - a.ms) * 1e6 + (b.ns - a.ns);
}

const two = (n: number) => String(n).padStart(2, '0');
const three = (n: number) => String(n).padStart(3, '0');

/** `14:31:52.204`, in the reader's zone. */
export function clock(ms: number): string {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${three(d.getMilliseconds())}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `14 Mar 14:31`, for ranges and where the day is not obvious. */
export function dayClock(ms: number): string {
  const d = new Date(ms);
  return `${d.getDate()} ${MONTHS[d.getMonth()]} ${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** With zone and ISO, for hover and copy. */
export function absolute(ms: number): string {
  const d = new Date(ms);
  const offset = -d.getTimezoneOffset();
  const zone = `${offset < 0 ? '−' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${d.getDate()} ${MONTHS[d.getMonth()]} ${d.getFullYear()} ${clock(ms)} UTC${zone}, ${d.toISOString()}`;
}

/** `14 s ago`. */
export function ago(ms: number, now: number): string {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 1) return 'now';
  if (s < 60) return `${s}${NNBSP}s ago`;
  if (s < 3600) return `${Math.floor(s / 60)}${NNBSP}min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)}${NNBSP}h ago`;
  return `${Math.floor(s / 86_400)}${NNBSP}d ago`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NICE = [1, 2, 5, 10, 15, 30]
  .map((n) => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE))
  .concat([1, 2, 3, 6, 12].map((n) => n * HOUR))
  .concat([1, 2, 7, 14, 28].map((n) => n * DAY));

/** Ticks of a time axis at clock positions of the reader's zone, at most `most`. */
export function timeTicks(from: number, to: number, most: number): { at: number; label: string }[] {
  const step = NICE.find((s) => (to - from) / s <= most) ?? 28 * DAY;
  const shift = -new Date(from).getTimezoneOffset() * MINUTE;
  const ticks = [];
  let lastDay = new Date(from).getDate();
  for (let at = Math.ceil((from + shift) / step) * step - shift; at < to; at += step) {
    const d = new Date(at);
    const day = d.getDate();
    const label =
      step >= DAY || day !== lastDay
        ? `${day} ${MONTHS[d.getMonth()]}`
        : step < MINUTE
          ? `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`
          : `${two(d.getHours())}:${two(d.getMinutes())}`;
    lastDay = day;
    ticks.push({ at, label });
  }
  return ticks;
}

/** Steps beyond ten seconds, of which the labels are exact in minutes, hours and days. */
const LONG_STEPS = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400].map((s) => s * 1e9);

/** Nice ticks from 0 (or `from`) in ns, at most `most`. */
export function durationTicks(from: number, to: number, most: number): { at: number; step: number }[] {
  const raw = (to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)));
  const decimal = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= raw) ?? power * 10;
  const step = (raw > 10e9 ? LONG_STEPS.find((s) => s >= raw) : undefined) ?? decimal;
  const ticks = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++) ticks.push({ at: n * step, step });
  return ticks;
}
