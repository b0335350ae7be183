import { describe, expect, it } from 'vitest';
import { type Cell, type ComparedRow, type ComparedTrace, type Comparison, differs, type ManyCell } from './answer.ts';
import { conclude, difference, sampled } from './words.ts';

const MS = 1e6;
const cell = (spans: number, critical: number, errors = 0): Cell => ({
  span: '1',
  spans,
  errors,
  from: 0,
  to: critical * MS,
  duration: critical * MS,
  self: critical * MS,
  critical: critical * MS,
});
const many = (traces: number, critical: number): ManyCell => ({
  traces,
  error_traces: 0,
  spans: 1,
  critical: critical * MS,
  duration: { p50: critical * MS, p95: critical * MS },
  self: { p50: critical * MS, p95: critical * MS },
});
const row = (depth: number, name: string, a?: Cell, b?: Cell | ManyCell, more: Partial<ComparedRow> = {}): ComparedRow => ({
  depth,
  name,
  service: 'checkout',
  attributes: [],
  ...(a && { a }),
  ...(b && { b }),
  ...more,
});
const trace = (ms: number): ComparedTrace => ({
  trace: 't',
  root: 'r',
  time: '2026-01-01T00:00:00Z',
  duration: ms * MS,
  spans: 1,
  errors: 0,
  services: 1,
  complete: true,
  cut: false,
  hidden: 0,
});
const words = (answer: Comparison) => conclude(answer).map((finding) => finding.text.replaceAll('\u202f', ' '));

describe('the conclusion', () => {
  const slow: Comparison = {
    a: trace(842),
    b: trace(230),
    cut: false,
    rows: [
      row(0, 'POST /orders', cell(1, 100), cell(1, 100), { attributes: [{ key: 'request.id', level: 'attr', a: 'x', b: 'y' }] }),
      row(1, 'SELECT cart_items', cell(14, 720), cell(1, 120)),
      row(2, 'apply_discount', cell(1, 22, 1), cell(1, 10), {
        attributes: [{ key: 'coupon.kind', level: 'attr', a: 'percent_bp', b: 'fixed' }],
      }),
    ],
  };
  it('says by how much, where, what failed, and what was asked differently', () => {
    expect(difference(slow)).toBe(612 * MS);
    expect(words(slow)).toEqual([
      'checkout POST /orders took 612 ms more, 842 ms instead of 230 ms',
      '600 ms of it in SELECT cart_items ×14, which the other has once',
      'apply_discount failed here only',
      'coupon.kind is percent_bp here, fixed there',
    ]);
    expect(conclude(slow).map((finding) => finding.row)).toEqual([0, 1, 2, 2]);
  });
  it('turns round with the sides', () => {
    const rows = slow.rows.map((r) => ({ ...r, a: r.b as Cell, b: r.a as Cell, attributes: [] }));
    expect(words({ a: trace(230), b: trace(842), cut: false, rows })).toEqual([
      'checkout POST /orders took 612 ms less, 230 ms instead of 842 ms',
      '600 ms of it in SELECT cart_items, which the other has 14 times',
      'apply_discount failed in the other only',
    ]);
  });
  it('finds nothing where there is nothing', () => {
    const same = { a: trace(100), b: trace(101), cut: false, rows: [row(0, 'GET', cell(1, 100), cell(1, 101))] };
    expect(words(same)).toEqual(['checkout GET took as long in both, 100 ms and 101 ms']);
    expect(differs(same.rows[0] as ComparedRow, 100 * MS)).toBe(false);
  });
  it('names a call that only one side makes', () => {
    const rows = [row(0, 'GET', cell(1, 100), cell(1, 100)), row(1, 'retry', cell(2, 300))];
    expect(words({ a: trace(400), b: trace(100), cut: false, rows })).toContain('all of it in retry ×2, which the other does not have');
  });
  it('holds one against many, and says how they were chosen', () => {
    const answer: Comparison = {
      a: trace(300),
      population: {
        from: '',
        to: '',
        found: 1200,
        more: false,
        compared: 100,
        compared_max: 100,
        faster: 95,
        duration: { p50: 90 * MS, p95: 280 * MS },
      },
      cut: false,
      rows: [row(0, 'GET', cell(1, 50), many(100, 50)), row(1, 'fetch', cell(1, 250), many(80, 50))],
    };
    expect(words(answer)[0]).toBe('checkout GET took 300 ms, more than 95 % of them: half take 90 ms or less');
    expect(words(answer)[1]).toBe('all of it in fetch');
    expect(sampled(answer)).toBe('100 of 1,200 other traces of this root, chosen by a hash of their ids: the same each time');
  });
});
