import { describe, expect, it } from 'vitest';
import { choicesFor, conditionOf, insertChoice, namesNear, paint, spotAt } from './expression.ts';

const at = (text: string, template = false) => spotAt(text, text.length, template);

describe('where a name is completed', () => {
  it('is at a name, not behind a dot, in a text or behind a whole value', () => {
    expect(at('order.total > co')).toEqual({ from: 14, to: 16, prefix: 'co' });
    expect(at('')).toEqual({ from: 0, to: 0, prefix: '' });
    expect(at('a && ')?.prefix).toBe('');
    expect(at('order.to')).toBeUndefined();
    expect(at('order?.to')).toBeUndefined();
    expect(at('a == "co')).toBeUndefined();
    expect(at('a == "b" ')).toBeUndefined();
    expect(at('any(xs, x => x')?.prefix).toBe('x');
    expect(at('a in ')?.prefix).toBe('');
    expect(at('@trace')?.prefix).toBe('@trace');
    expect(at('@trace.i')?.prefix).toBe('@trace.i');
  });
  it('is between the braces of a message only', () => {
    expect(at('order or', true)).toBeUndefined();
    expect(at('order {or', true)).toEqual({ from: 7, to: 9, prefix: 'or' });
    expect(at('order {order.id} or', true)).toBeUndefined();
  });
});

it('offers variables before functions, and puts the cursor where the argument goes', () => {
  const spot = at('co');
  if (!spot) throw new Error('no spot');
  const choices = choicesFor(spot, [{ name: 'coupon', kind: 'arg', type: 'Coupon' }, { name: 'order' }]);
  expect(choices.map((one) => one.insert)).toEqual(['coupon', 'contains(, )', 'count()']);
  expect(choices[0]?.what).toBe('arg, Coupon');
  expect(insertChoice('a && co', { from: 5, to: 7, prefix: 'co' }, choices[2] as never)).toEqual({ text: 'a && count()', cursor: 11 });
  expect(choicesFor({ from: 0, to: 0, prefix: '' }, [{ name: 'order' }]).map((one) => one.insert)).toEqual(['order']);
  expect(choicesFor({ from: 0, to: 5, prefix: 'order' }, [{ name: 'order' }])).toEqual([]);
});

describe('colours', () => {
  it('lose no character', () => {
    for (const text of ['order.total > 100 && x == "a\\"b"', "a in ['x'] ? @hit : len(b)  ", 'é`odd name`', '"open'])
      expect(
        paint(text, false)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
    for (const text of ['order {order.id}: {len(x)} done', '{', 'a}b', 'x {a'])
      expect(
        paint(text, true)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
  });
  it('tell names from functions, words, texts and numbers', () => {
    const tones = paint('len(order) > 10 and x == "a"', false).filter((piece) => piece.text.trim());
    expect(tones.map((piece) => `${piece.tone}:${piece.text}`)).toEqual([
      'fn:len',
      'd3:(',
      ':order',
      'd3:)',
      'd3:>',
      'nu:10',
      'kw:and',
      ':x',
      'd3:==',
      'st:"a"',
    ]);
  });
});

it('reads names in scope from the text where the runtime cannot say', () => {
  const lines = [
    'def other(z):',
    '    y = 1',
    '',
    'async def price(order, *items, coupon=None):',
    '    rate = coupon.rate',
    '    for a, b in items:',
    '        pass',
    '    off = rate',
    '    late = 1',
  ];
  expect(namesNear(lines, 8).map((one) => one.name)).toEqual(['order', 'items', 'coupon', 'rate', 'a', 'b']);
});

it('makes a condition of a value that was seen', () => {
  expect(conditionOf('coupon.rate', { k: 'null', t: 'NoneType' })).toBe('coupon.rate == null');
  expect(conditionOf('order.id', { k: 'int', t: 'int', v: '9007199254740993' })).toBe('order.id == 9007199254740993');
  expect(conditionOf('x', { k: 'bool', v: false })).toBe('x == false');
  expect(conditionOf('name', { k: 'str', v: 'a "b"\n' })).toBe('name == "a \\"b\\"\\n"');
  expect(conditionOf('note', { k: 'str', v: 'leave', cut: 'bytes' })).toBe('starts(note, "leave")');
  expect(conditionOf('ratio', { k: 'float', v: 'NaN' })).toBe('has(ratio)');
  expect(conditionOf('order', { k: 'object', t: 'Order' })).toBe('has(order)');
  expect(conditionOf('order', undefined)).toBe('has(order)');
});
