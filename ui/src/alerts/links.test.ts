import { expect, it } from 'vitest';
import { alertOn, recordsHref } from './links.ts';

it('leads to the records of a query in its window', () => {
  expect(recordsHref('spans status=error | stats count()', 1000, 2000)).toBe('/traces?q=spans+status%3Derror&from=1000&to=2000');
  expect(recordsHref('logs level=error', 1, 2)).toBe('/logs?q=logs+level%3Derror&from=1&to=2');
  expect(recordsHref('sessions | stats count()', 1, 2)).toBeUndefined();
});

it('takes the filter of a view along, without its steps', () => {
  expect(alertOn('issues level=error | sort users', 'shop')).toBe('/alerts/new?filter=level%3Derror&project=shop');
  expect(alertOn('issues', undefined)).toBe('/alerts/new');
});
