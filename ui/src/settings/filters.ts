// The words of a project's filters.
export const SWITCHES = [
  ['health_checks', 'Health checks', 'transactions and spans named like /healthz, /ready or /ping'],
  ['web_crawlers', 'Web crawlers', 'events of Googlebot, Bingbot and their like'],
  ['localhost', 'Localhost', 'events of pages and users on the same machine'],
  ['browser_extensions', 'Browser extensions', 'errors of extensions that people have installed'],
  ['hydration_errors', 'Hydration errors', 'React 418 to 425, of production builds'],
  ['chunk_load_errors', 'Chunk load errors', 'a bundle’s chunk that did not load'],
] as const;

/** With the newest version that counts as old. */
export const BROWSERS = [
  ['ie', 'Internet Explorer', 11],
  ['edge', 'Edge', 110],
  ['safari', 'Safari', 15],
  ['firefox', 'Firefox', 110],
  ['chrome', 'Chrome', 110],
  ['opera', 'Opera', 99],
  ['opera_mini', 'Opera Mini', 34],
  ['android', 'Android', 3],
] as const;

export const LISTS = [
  ['errors', 'Errors', 'globs of TYPE: VALUE or of a message, one a line', 'TimeoutError: *\n*ResizeObserver loop*'],
  ['releases', 'Releases', 'globs, one a line', 'shop@1.*'],
  ['addresses', 'Addresses', 'of the sender or the user: addresses and networks, one a line', '203.0.113.7\n10.0.0.0/8'],
  ['logs', 'Logs', 'globs of the message, one a line', 'GET /health*'],
] as const;

export interface Filters extends Record<(typeof SWITCHES)[number][0], boolean>, Record<(typeof LISTS)[number][0], string> {
  legacy_browsers: string[];
  changed?: string;
  changed_by?: string;
}

const REASONS: Record<string, string> = {
  'ip-address': 'Addresses',
  'release-version': 'Releases',
  'error-message': 'Errors',
  'log-message': 'Logs',
  'filtered-transaction': 'Health checks',
  'legacy-browsers': 'Old browsers',
  'web-crawlers': 'Web crawlers',
  localhost: 'Localhost',
  'browser-extensions': 'Browser extensions',
  'react-hydration-errors': 'Hydration errors',
  'chunk-load-error': 'Chunk load errors',
};

export const reasonName = (reason: string): string => REASONS[reason] ?? reason;

export const outcomesQuery = (slug: string): string =>
  `metrics project=${slug} name=sentry.outcome | stats sum(value) as n by reason, category | sort n desc`;

/** What is sent: the settings without who changed them. */
export function written({ changed: _at, changed_by: _by, ...settings }: Filters): Omit<Filters, 'changed' | 'changed_by'> {
  return settings;
}
