import { expect, it } from 'vitest';
import { cronWords, scheduleWords } from './schedule.ts';

it('says crontabs in words', () => {
  const words: Record<string, string | undefined> = {
    '*/10 * * * *': 'every 10 minutes',
    '* * * * *': 'every minute',
    '0 * * * *': 'every hour',
    '15 * * * *': 'every hour at minute 15',
    '5 */6 * * *': 'every 6 hours at minute 05',
    '15 3 * * *': 'at 03:15 every day',
    '0 9,17 * * 1-5': 'at 09:00 and 17:00 on Monday to Friday',
    '*/5 8-18 * * mon-fri': 'every 5 minutes from 08:00 to 18:59 on Monday to Friday',
    '0 0 1 * *': 'at 00:00 on the 1st of the month',
    '0 0 1,15 * 0': 'at 00:00 on the 1st and 15th or Sunday',
    '30 2 22 jan,jul *': 'at 02:30 on the 22nd in January and July',
    '@daily': 'at 00:00 every day',
    '@weekly': 'at 00:00 on Sunday',
    '1-20/3 4 * * *': undefined,
    '0 0 */2 * *': undefined,
    nonsense: undefined,
  };
  for (const [cron, said] of Object.entries(words)) expect(cronWords(cron), cron).toBe(said);
});

it('names the zone of a crontab, and leaves it as it is where words fail', () => {
  expect(scheduleWords({ type: 'crontab', value: '*/10 * * * *', timezone: 'Europe/Berlin' })).toBe('every 10 minutes, Europe/Berlin');
  expect(scheduleWords({ type: 'crontab', value: '0 0 */2 * *' })).toBe('0 0 */2 * *, UTC');
  expect(scheduleWords({ type: 'interval', every: 2, unit: 'hour' })).toBe('every 2 hours');
  expect(scheduleWords({ type: 'interval', every: 1, unit: 'day' })).toBe('every day');
  expect(scheduleWords(undefined)).toBe('no schedule: it says when it runs');
});
