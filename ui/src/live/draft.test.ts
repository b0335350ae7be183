import { describe, expect, it } from 'vitest';
import type { Probe } from '../api/probes.ts';
import { draftFor, draftOf, EVERY_TRACE, FAILED_TRACES, inputOf, keepOf, lacks, nameFor } from './draft.ts';

const where = { file: 'app/pricing.py', line: 87 };

it('says to the server what was chosen and nothing else', () => {
  expect(inputOf(draftFor('x'), where, 'shop')).toEqual({
    kind: 'snapshot',
    where,
    service: 'shop',
    scope: { service: 'shop' },
    hits: 20,
    ttl_s: 1800,
    rate: 1,
    frames: 30,
    depth: 3,
    locals: true,
    args: true,
  });
});

it('keeps captures of some traces only, at a higher rate', () => {
  const failed = { ...draftFor('x'), ...keepOf(draftFor('x'), FAILED_TRACES) };
  expect(inputOf(failed, where, 'shop')).toMatchObject({ keep: 'trace_error', rate: 100 });
  const slow = { ...failed, ...keepOf(failed, 500) };
  expect(inputOf(slow, where, 'shop')).toMatchObject({ keep: 'trace_slow', keep_ms: 500, rate: 100 });
  expect(draftOf({ ...inputOf(slow, where, 'shop'), created: '', expires: '' } as unknown as Probe).keep).toBe(500);
  expect(keepOf({ ...failed, rate: 5 }, EVERY_TRACE)).toEqual({ keep: EVERY_TRACE, rate: 5 }); // what was picked stays
  const again = inputOf({ ...failed, ...keepOf(failed, EVERY_TRACE) }, where, 'shop', { where } as Probe);
  expect(again).toMatchObject({ keep: null, keep_ms: null, rate: 1 });
});

it('places on one process, or on some', () => {
  expect(inputOf({ ...draftFor('x'), pid: 7, host: 'web-1' }, where, 'shop').scope).toEqual({ service: 'shop', pid: 7, host: 'web-1' });
  expect(inputOf({ ...draftFor('x'), on: '1' }, where, 'shop').scope).toEqual({ service: 'shop', instances: 1 });
  expect(inputOf({ ...draftFor('x'), on: '10%' }, where, 'shop').scope).toEqual({ service: 'shop', instances: '10%' });
});

it('takes away what a changed probe has no longer', () => {
  const was = {
    kind: 'log',
    where,
    if: 'a > 1',
    log: { level: 'warn', template: '{a}' },
    hits: 100,
    rate: 5,
    created: '2026-01-01T00:00:00.000000000Z',
    expires: '2026-01-01T02:00:00.000000000Z',
  } as unknown as Probe;
  const draft = draftOf(was);
  expect([draft.condition, draft.template, draft.level, draft.ttl]).toEqual(['a > 1', '{a}', 'warn', 7200]);
  const input = inputOf({ ...draft, kind: 'snapshot', condition: '' }, where, 'shop', was);
  expect(input).toMatchObject({ if: null, log: null, exprs: null, scope: { service: 'shop' }, kind: 'snapshot' });
  expect(input.service).toBeUndefined();
});

it('begins a message with what the line sets', () => {
  expect(draftFor('    rate = coupon.rate').template).toBe('rate={rate}');
  expect(draftFor('    if rate == 1:').template).toBe('');
  expect(draftFor('const total = sum(lines);').template).toBe('total={total}');
});

it('says what is missing before a probe can be placed', () => {
  expect(lacks(draftFor('x'))).toBeUndefined();
  expect(lacks({ ...draftFor('x'), kind: 'log' })).toMatch(/message/);
});

it('stands at a line, at a moment of the function around it, or where an exception is raised', () => {
  const spot = { ...where, function: 'apply_discount' };
  const at = (more: object, of: object = spot) => inputOf({ ...draftFor('x'), ...more }, of as typeof spot, 'shop');
  expect(at({ at: 'exit' }).where).toEqual({ file: 'app/pricing.py', function: 'apply_discount', at: 'exit' });
  expect(at({ at: 'exit' }, where).where).toEqual(where);
  expect(at({ at: 'exception' })).toMatchObject({
    kind: 'exception',
    where: { exception: '*', file: 'app/pricing.py', function: 'apply_discount' },
  });
  expect(at({ at: 'exception', exception: ' TypeError ', within: false }).where).toEqual({
    exception: 'TypeError',
    file: 'app/pricing.py',
  });
  expect(at({ at: 'exception', exception: 'TypeError', uncaught: true }).where).toEqual({ exception: 'TypeError', uncaught: true });
  expect(at({ at: 'exception', kind: 'log', template: 'x' }).kind).toBe('log');
  expect(lacks({ ...draftFor('x'), at: 'exception', exception: 'Type Error' })).toMatch(/name/);
});

it('is edited as it was placed', () => {
  const spot = { ...where, function: 'apply_discount' };
  for (const more of [
    {},
    { at: 'throw' },
    { at: 'entry' },
    { at: 'exception', exception: 'KeyError' },
    { at: 'exception', within: false },
    { at: 'exception', within: false, uncaught: true },
  ]) {
    const draft = { ...draftFor('x'), ...more } as ReturnType<typeof draftFor>;
    const made = inputOf(draft, spot, 'shop') as unknown as Probe;
    const { at, exception, within, uncaught, kind } = draftOf(made);
    const was = { at: draft.at, exception: draft.exception, within: draft.within, uncaught: draft.uncaught, kind: 'snapshot' };
    expect({ at, exception, within, uncaught, kind }).toEqual(was);
  }
});

describe('what was seen', () => {
  const spot = { ...where, function: 'apply_discount', hash: 'f'.repeat(64), text: '  b  = a' };
  const line_hash = '65c8d18c6cb8422f926624dddd015ff7e180604547b95a966dff90cb4ba4dadc';
  const seen = (more: object, was?: object) => {
    const input = inputOf({ ...draftFor('x'), ...more }, spot, 'shop', was && ({ where, ...was } as Probe));
    return Object.fromEntries(
      Object.entries(input).filter(([key]) => ['where', 'match', 'source_hash', 'line_hash', 'function'].includes(key)),
    );
  };

  it('goes with a probe: the file, and the line with the function around it', () => {
    expect(seen({})).toEqual({ where, match: 'follow', source_hash: spot.hash, line_hash, function: 'apply_discount' });
    expect(seen({ exact: true })).toMatchObject({ match: 'exact', source_hash: spot.hash });
    const exit = { file: where.file, function: 'apply_discount', at: 'exit' };
    expect(seen({ at: 'exit' })).toEqual({ where: exit, match: 'follow', source_hash: spot.hash });
  });

  it('stays what it was when a probe at a line is changed, whichever text is shown then', () => {
    const there = { file: where.file, line: 80 };
    expect(seen({ exact: true }, { where: there, line_hash: 'aa' })).toEqual({ where: there, match: 'exact' });
    expect(seen({}, { where: there })).toMatchObject({ where: there, line_hash });
    expect(seen({ at: 'exit' }, { where: there, line_hash: 'aa' })).toMatchObject({ line_hash: null, function: null });
  });
});

describe('a probe that counts', () => {
  const metric = { ...draftFor('x'), kind: 'metric' as const, name: 'orders.placed' };

  it('has a name, and a value where its kind is nothing without one', () => {
    expect(inputOf(metric, where, 'shop')).toEqual({
      kind: 'metric',
      where,
      metric: { kind: 'count', name: 'orders.placed' },
      service: 'shop',
      scope: { service: 'shop' },
      ttl_s: 1800,
    });
    expect(lacks(metric)).toBeUndefined();
    expect(lacks({ ...metric, name: ' ' })).toMatch(/name/);
    expect(lacks({ ...metric, name: '9lives' })).toMatch(/letters/);
    expect(lacks({ ...metric, metric: 'gauge' })).toMatch(/gauge needs a value/);
    expect(lacks({ ...metric, by: [['tier', '']] })).toMatch(/attribute/);
    // An attribute that nobody has filled in is none.
    const by = inputOf(
      {
        ...metric,
        metric: 'histogram',
        value: 'order.total',
        by: [
          [' tier ', 'order.tier'],
          ['', ''],
        ],
      },
      where,
      'shop',
    ).metric;
    expect(by).toEqual({ kind: 'histogram', name: 'orders.placed', value: 'order.total', by: { tier: 'order.tier' } });
  });

  it('measures a function from its call to its end', () => {
    const timer = { ...draftFor('x'), kind: 'timer' as const, at: 'exit' as const };
    const input = inputOf(timer, { ...where, function: 'apply_discount' }, 'shop');
    expect(input).toMatchObject({ kind: 'timer', where: { file: where.file, function: 'apply_discount', at: 'exit' } });
    expect([input.metric, input.hits]).toEqual([undefined, undefined]);
    expect(lacks({ ...timer, at: 'line' })).toMatch(/function/);
    const was = { ...input, created: '2026-01-01T00:00:00Z', expires: '2026-01-01T00:30:00Z' } as unknown as Probe;
    expect(draftOf(was)).toMatchObject({ kind: 'timer', at: 'exit', name: '' });
  });

  it('is called after its function, or its file', () => {
    expect(nameFor({ file: 'app/pricing.py', function: 'Order.total' })).toBe('pricing.Order.total.runs');
    expect(nameFor({ file: 'app/2fa.py' })).toBe('fa.runs');
  });
});
