// Lines to paste for a job that checks in. Pure.
import type { Door } from './words.ts';

export interface Lines {
  id: string;
  label: string;
  name: string;
  text: string;
}

export function linesOf(dsn: string, door: Door | undefined, slug: string): Lines[] {
  const at = door && `${door.origin}/api/${door.project}/cron/${slug}/${door.key}/`;
  return [
    {
      id: 'python',
      label: 'Python',
      name: 'job.py, after pip install sentry-sdk',
      text: [
        'import sentry_sdk',
        'from sentry_sdk.crons import monitor',
        '',
        `sentry_sdk.init("${dsn}")`,
        '',
        `@monitor(monitor_slug="${slug}", monitor_config={`,
        '    "schedule": {"type": "crontab", "value": "*/10 * * * *"},',
        '    "timezone": "Europe/Berlin",',
        '    "checkin_margin": 2,   # minutes until it counts as missed',
        '    "max_runtime": 10,     # minutes until it counts as timed out',
        '})',
        'def job():',
        '    ...',
        '',
        'job()',
      ].join('\n'),
    },
    {
      id: 'node',
      label: 'Node',
      name: 'job.js, after npm install @sentry/node',
      text: [
        "const Sentry = require('@sentry/node');",
        '',
        `Sentry.init({ dsn: '${dsn}' });`,
        '',
        `Sentry.withMonitor('${slug}', async () => {`,
        '  // the job',
        '}, {',
        "  schedule: { type: 'crontab', value: '*/10 * * * *' },",
        "  timezone: 'Europe/Berlin',",
        '  checkinMargin: 2,',
        '  maxRuntime: 10,',
        '}).finally(() => Sentry.flush(2000));',
      ].join('\n'),
    },
    ...(at
      ? [
          {
            id: 'curl',
            label: 'curl',
            name: 'shell, or a line of a crontab',
            text: [
              `curl -sS '${at}?status=in_progress'`,
              'if ./job.sh; then STATUS=ok; else STATUS=error; fi',
              `curl -sS "${at}?status=$STATUS"`,
            ].join('\n'),
          },
        ]
      : []),
  ];
}
