import { expect, it } from 'vitest';
import { bucketsOf, seriesQuery } from './series.ts';

it('asks over the filter only, whatever steps the list has', () => {
  expect(seriesQuery('spans root=true | traces | limit 3', 'rate', 60_000)).toBe(
    'spans root=true | bucket 1m | stats count() as n, count() if (status=error) as bad by bucket',
  );
  expect(seriesQuery('spans', 'percentiles', 5000)).toContain(
    '| bucket 5s | stats count() as n, count() if (status=error) as bad, p50(duration) as p50',
  );
});

it('has every bucket of the range, also those in which nothing happened', () => {
  const rows = [{ bucket: '1970-01-01T00:00:20.000000000Z', n: 4, bad: 1 }];
  const { times, at } = bucketsOf(rows, { from: 5000, to: 31_000 }, 10_000);
  expect(times).toEqual([0, 10_000, 20_000, 30_000]);
  expect(at.map((row) => row?.n)).toEqual([undefined, undefined, 4, undefined]);
});
