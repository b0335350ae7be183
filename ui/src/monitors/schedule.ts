// A schedule in words. When it is due next is the server's to say: it knows the zones.
import type { Schedule } from '../api/monitors.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const NICKNAMES: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

const two = (n: number | string) => String(n).padStart(2, '0');

/** The numbers of a field that lists them; undefined: it has steps, ranges or a star. */
function numbersOf(field: string): number[] | undefined {
  return /^\d+(,\d+)*$/.test(field) ? field.split(',').map(Number) : undefined;
}

function nameIn(names: readonly string[], base: number) {
  return (word: string): string | undefined => {
    if (/^\d+$/.test(word)) return names[Number(word) - base];
    return names.find((name) => name.slice(0, 3).toLowerCase() === word.toLowerCase());
  };
}

/** `Monday to Friday`, `January and July`; undefined: no plain words for it. */
function namedField(field: string, names: readonly string[], base: number): string | undefined {
  const name = nameIn(names, base);
  const words = field.split(',').map((part) => {
    const [from = '', to, ...more] = part.split('-');
    if (more.length > 0 || part.includes('/')) return undefined;
    const first = name(from);
    if (to === undefined) return first;
    const last = name(to);
    return first && last && `${first} to ${last}`;
  });
  return words.every((word): word is string => word !== undefined) ? listed(words) : undefined;
}

function ordinal(n: number): string {
  const tail = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

/** The time of day; undefined: no plain words for it. */
function clockWords(minute: string, hour: string): string | undefined {
  const minutes = numbersOf(minute);
  const hours = numbersOf(hour);
  const everyMinutes = /^\*\/(\d+)$/.exec(minute)?.[1];
  const everyHours = /^\*\/(\d+)$/.exec(hour)?.[1];
  const within = /^(\d+)-(\d+)$/.exec(hour);
  const span = within ? ` from ${two(within[1] as string)}:00 to ${two(within[2] as string)}:59` : '';
  if (minute === '*' && (hour === '*' || within)) return `every minute${span}`;
  if (everyMinutes && (hour === '*' || within)) return `${everyMinutes === '1' ? 'every minute' : `every ${everyMinutes} minutes`}${span}`;
  if (minutes && (hour === '*' || within)) {
    const at = listed(minutes.map((one) => `${two(one)}`));
    return minutes.length === 1 && minutes[0] === 0 ? `every hour${span}` : `every hour at minute ${at}${span}`;
  }
  if (minutes?.length === 1 && everyHours) {
    const at = minutes[0] === 0 ? '' : ` at minute ${two(minutes[0] as number)}`;
    return `${everyHours === '1' ? 'every hour' : `every ${everyHours} hours`}${at}`;
  }
  if (minutes && hours && minutes.length * hours.length <= 6)
    return `at ${listed(hours.flatMap((one) => minutes.map((m) => `${two(one)}:${two(m)}`)))}`;
  return undefined;
}

/** `at 03:15 on Monday to Friday`; undefined: only the expression itself says it. */
export function cronWords(text: string): string | undefined {
  const fields = (NICKNAMES[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  if (fields.length !== 5) return undefined;
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const clock = clockWords(minute, hour);
  if (!clock) return undefined;
  const parts = [clock];
  const days = numbersOf(day);
  const weekdays = weekday === '*' ? undefined : namedField(weekday, DAYS, 0);
  if (day !== '*' && !days) return undefined;
  if (weekday !== '*' && !weekdays) return undefined;
  const onDay = days && `the ${listed(days.map(ordinal))}`;
  if (onDay || weekdays) parts.push(`on ${[onDay, weekdays].filter(Boolean).join(' or ')}`);
  if (month !== '*') {
    const months = namedField(month, MONTHS, 1);
    if (!months) return undefined;
    parts.push(`in ${months}`);
  } else if (onDay && !weekdays) parts.push('of the month');
  if (!onDay && !weekdays && clock.startsWith('at ')) parts.push(month === '*' ? 'every day' : '');
  return parts.filter(Boolean).join(' ');
}

/** "every 10 minutes, Europe/Berlin" */
export function scheduleWords(schedule: Schedule | undefined): string {
  if (!schedule) return 'no schedule: it says when it runs';
  const zone = schedule.timezone && schedule.timezone !== 'UTC' ? `, ${schedule.timezone}` : ', UTC';
  if (schedule.type === 'interval') {
    const { every = 1, unit = 'minute' } = schedule;
    return every === 1 ? `every ${unit}` : `every ${every} ${unit}s`;
  }
  const value = schedule.value ?? '';
  return `${cronWords(value) ?? value}${zone}`;
}
