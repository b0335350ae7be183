import { describe, expect, it } from 'vitest';
import {
  aggregatesOf,
  chartQuery,
  exemplarsOf,
  grownOf,
  intervalOf,
  linesOf,
  type Metric,
  percentileLines,
  quantileOf,
  type Row,
  topLines,
} from './metric.ts';

const metric = (more: Partial<Metric>): Metric => ({ name: 'm', type: 'gauge', points: 1, instances: 1, ...more });
const at = (seconds: number) => new Date(seconds * 1000).toISOString().replace('Z', '000000Z');

describe('what is asked', () => {
  it('fits the type', () => {
    expect(aggregatesOf(metric({ type: 'sum', monotonic: true }))[0]).toBe('rate');
    expect(aggregatesOf(metric({ type: 'sum', monotonic: false }))[0]).toBe('avg');
    expect(aggregatesOf(metric({ type: 'histogram' }))[0]).toBe('percentiles');
  });

  it('is a query a person can copy', () => {
    expect(chartQuery('metrics name=m service=web', metric({ type: 'sum', monotonic: true }), 'rate', 'http.route', 60_000, [])).toBe(
      'metrics name=m service=web | bucket 1m | stats rate(value) as v by bucket, http.route',
    );
    expect(chartQuery('metrics name=m', metric({ type: 'histogram' }), 'percentiles', undefined, 60_000, ['k'])).toBe(
      'metrics name=m | bucket 1m | stats last(buckets) as b, last(bounds) as e, last(temporality) as t by bucket, service, instance, k',
    );
  });
});

describe('lines', () => {
  it('have a gap where nothing came, and the largest is first', () => {
    const rows: Row[] = [
      { bucket: at(0), k: 'a', v: 1 },
      { bucket: at(10), k: 'b', v: 5 },
    ];
    expect(linesOf(rows, [0, 10_000], 'k', 'm')).toEqual([
      { label: 'b', values: [null, 5] },
      { label: 'a', values: [1, null] },
    ]);
  });

  it('are a mean of what was added', () => {
    expect(linesOf([{ bucket: at(0), s: 6, c: 3 }], [0], undefined, 'm')).toEqual([{ label: 'm', values: [2] }]);
    expect(linesOf([{ bucket: at(0), s: 0, c: 0 }], [0], undefined, 'm')[0]?.values).toEqual([null]);
  });

  it('beyond six are one, where a sum means something', () => {
    const lines = Array.from({ length: 8 }, (_, n) => ({ label: `${n}`, values: [8 - n] }));
    expect(topLines(lines, 'rate').shown.at(-1)).toEqual({ label: '2 others', values: [3] });
    expect(topLines(lines, 'avg')).toMatchObject({ left: 2 });
  });
});

describe('percentiles of histograms', () => {
  it('lie between the bounds', () => {
    expect(quantileOf([0, 10, 0], [1, 2], 0.5)).toBe(1.5);
    expect(quantileOf([10, 0, 0], [1, 2], 1)).toBe(1);
    expect(quantileOf([0, 0, 3], [1, 2], 0.5)).toBe(2);
    expect(quantileOf([0, 0, 0], [1, 2], 0.5)).toBeNull();
  });

  it('are of what was added since, over all series, also when a process began anew', () => {
    const row = (seconds: number, instance: string, b: number[]): Row => ({ bucket: at(seconds), service: 's', instance, b, e: [1, 2] });
    const rows = [row(0, 'x', [100, 0, 0]), row(10, 'x', [100, 4, 0]), row(0, 'y', [7, 0, 0]), row(10, 'y', [0, 4, 0])];
    const groups = grownOf(rows, [0, 10_000], undefined, 'm', []);
    expect(groups.get('m')).toEqual([undefined, { counts: [0, 8, 0], bounds: [1, 2] }]);
    expect(percentileLines(groups, undefined).map((line) => line.values[1])).toEqual([1.99, 1.95, 1.5]);
  });
});

describe('the interval of points', () => {
  const point = (seconds: number, instance: string) => ({ time: at(seconds), service: 's', instance, attr: { k: 'v' } });
  it('is that of one series, not of all together', () => {
    expect(intervalOf([point(120, 'x'), point(130, 'y'), point(60.4, 'x'), point(70, 'y')])).toBe(60_000);
    expect(intervalOf([point(1, 'x')])).toBe(10_000);
  });
});

describe('exemplars', () => {
  it('lead to traces, the newest first, each once', () => {
    const one = (time: string) => ({ time, value: 3, trace: '+PGzuszk1GZSYQTMALxVPA==', span: 'easzODnlHZw=' });
    expect(exemplarsOf([{ exemplars: [one('2000000000')] }, { exemplars: [one('1000000000')] }, {}])).toEqual([
      { at: 2000, value: 3, trace: 'f8f1b3bacce4d466526104cc00bc553c' },
    ]);
    expect(exemplarsOf([{ exemplars: [{ time: '1', value: 1, trace: '*' }] }])).toEqual([]);
  });
});
