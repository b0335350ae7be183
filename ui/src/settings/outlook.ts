// The one sentence of the storage page, and its parts.
import { bytes } from '../format/number.ts';
import type { Storage } from './types.ts';

const DAY_NS = 86_400e9;

/** `14 days`, `36 hours`; 0: for ever. */
export function keptFor(ns: number): string {
  if (ns === 0) return 'for ever';
  const hours = ns / 3600e9;
  if (hours < 48) return `${trim(hours)} ${hours === 1 ? 'hour' : 'hours'}`;
  return `${trim(ns / DAY_NS)} days`;
}

function trim(n: number): string {
  return n >= 10 || Number.isInteger(n) ? String(Math.round(n)) : n.toFixed(1);
}

function spanWords(ns: number): string {
  const minutes = ns / 60e9;
  return minutes < 90 ? `${Math.round(minutes)} minutes` : `${Math.round(minutes / 60)} hours`;
}

/** Days in words that do not promise more than was measured. */
export function daysWords(days: number): string {
  if (days < 1 / 24) return 'less than an hour';
  if (days < 2) return `${Math.round(days * 24)} hours`;
  if (days < 60) return `${Math.round(days)} days`;
  if (days < 730) return `${Math.round(days / 30.4)} months`;
  return days < 36_500 ? `${Math.round(days / 365)} years` : 'more than a century';
}

export function outlook(storage: Storage): string {
  const kept = storage.retention ? `Records are kept ${keptFor(storage.retention)}` : 'Records are kept until the disk cap';
  const forEver = !storage.retention && !storage.disk_cap ? 'Records are kept for ever' : kept;
  const used = `${forEver}; ${bytes(storage.used)} are in use.`;
  if (!storage.bytes_a_day) return `${used} What comes in a day is known ten minutes after the first part.`;
  const over = storage.measured_over ? `, measured over ${spanWords(storage.measured_over)},` : '';
  const rate = `At the present ${bytes(storage.bytes_a_day)} a day${over}`;
  const full = storage.full_in;
  if (!full) return `${used} ${rate} there is no limit in sight.`;
  const what = full.by === 'cap' ? 'the disk cap is reached' : 'the disk is full';
  if (full.retention_first) return `${used} ${rate} it levels off at ${bytes(full.levels_at ?? 0)}, below what there is room for.`;
  return `${used} ${rate} ${what} in ${daysWords(full.days)}${full.by === 'cap' ? '; then the oldest go first' : ''}.`;
}
