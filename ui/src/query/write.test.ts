import { describe, expect, it } from 'vitest';
import { addTerm, splitSteps, term, writeField, writeValue } from './write.ts';

describe('writing', () => {
  it('quotes what a bare word cannot say', () => {
    expect(writeValue('checkout')).toBe('checkout');
    expect(writeValue('GET /a b')).toBe("'GET /a b'");
    expect(writeValue("it's *")).toBe("'it''s *'");
    expect(writeValue(5)).toBe('5');
    expect(writeValue('')).toBe("''");
  });
  it('quotes odd names', () => {
    expect(writeField('http.response.status_code')).toBe('http.response.status_code');
    expect(writeField('odd name.x')).toBe('`odd name`.x');
  });
  it('adds a term before the steps, once', () => {
    expect(addTerm('spans | limit 5', 'a=1')).toBe('spans a=1 | limit 5');
    expect(addTerm('spans a=1', 'a=1')).toBe('spans a=1');
  });
  it('keeps the meaning of or', () => {
    expect(addTerm('spans a=1 or b=2', 'c=3')).toBe('spans (a=1 or b=2) c=3');
    expect(addTerm('spans (a=1 or b=2)', 'c=3')).toBe('spans (a=1 or b=2) c=3');
  });
  it('splits at the first pipe that is one', () => {
    expect(splitSteps('spans a="x | y" || b=1 | traces')).toEqual({ filter: 'spans a="x | y" || b=1', steps: '| traces' });
  });
  it('leaves a query inside another alone', () => {
    const nested = 'spans parent in {spans a=1 or b=2 | select span}';
    expect(splitSteps(`${nested} | limit 5`)).toEqual({ filter: nested, steps: '| limit 5' });
    expect(addTerm(nested, 'c=3')).toBe(`${nested} c=3`);
  });
  it('negates', () => {
    expect(term('service', 'web', true)).toBe('service!=web');
  });
});
