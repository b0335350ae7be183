import { describe, expect, it } from 'vitest';
import { type Filters, outcomesQuery, reasonName, written } from './filters.ts';

describe('filters', () => {
  it('names every reason, and shows one that it does not know as it is', () => {
    expect(reasonName('filtered-transaction')).toBe('Health checks');
    expect(reasonName('another-reason')).toBe('another-reason');
  });

  it('asks for one project’s counts', () => {
    expect(outcomesQuery('shop')).toContain('project=shop name=sentry.outcome');
  });

  it('sends no word of who changed them', () => {
    const now = { errors: 'a', legacy_browsers: [], changed: '2026-01-01T00:00:00Z', changed_by: 'user:ada' } as unknown as Filters;
    expect(written(now)).toEqual({ errors: 'a', legacy_browsers: [] });
  });
});
