import { describe, expect, it } from 'vitest';
import { choiceOf, exclude, toggle, without } from './facet.ts';

describe('values of a field', () => {
  it('are read from single terms and lists, wanted and not', () => {
    expect(choiceOf('logs service=(checkout, web) level!=info timeout', 'service')).toEqual({ only: ['checkout', 'web'], not: [] });
    expect(choiceOf("logs service!='a b' level!=info", 'service')).toEqual({ only: [], not: ['a b'] });
  });
  it('of other fields, of parentheses and under not are none of these', () => {
    expect(choiceOf('logs (service=a or service=b) not service=c name=service', 'service')).toEqual({ only: [], not: [] });
  });
  it('are nothing where `or` stands at the top', () => {
    expect(choiceOf('logs service=a or level=warn', 'service').only).toEqual([]);
    expect(toggle('logs service=a or level=warn', 'host', 'h')).toBe('logs (service=a or level=warn) host=h');
  });
});

describe('clicks', () => {
  it('add, extend, reduce and remove', () => {
    const one = toggle('logs timeout | limit 5', 'service', 'web');
    expect(one).toBe('logs timeout service=web | limit 5');
    const two = toggle(one, 'service', 'checkout');
    expect(two).toBe('logs timeout service=(web, checkout) | limit 5');
    expect(toggle(two, 'service', 'web')).toBe('logs timeout service=checkout | limit 5');
    expect(toggle(one, 'service', 'web')).toBe('logs timeout | limit 5');
  });
  it('exclude, and take it back', () => {
    const out = exclude('logs', 'service', 'a b');
    expect(out).toBe("logs service!='a b'");
    expect(exclude(out, 'service', 'a b')).toBe('logs');
    expect(exclude('logs service=web', 'service', 'web')).toBe('logs service!=web');
  });
  it('keep numbers numbers', () => expect(toggle('logs', 'order.id', 8121)).toBe('logs order.id=8121'));
  it('leave the rest alone', () => expect(without('logs a service=x b', 'service')).toBe('logs a b'));
});
