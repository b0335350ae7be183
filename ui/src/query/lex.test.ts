import { describe, expect, it } from 'vitest';
import { indexOfColumn, lex } from './lex.ts';

const kinds = (text: string) => lex(text).map((token) => `${token.kind}:${token.text}`);

describe('lex', () => {
  it('knows source, field, operator and value', () => {
    expect(kinds('spans service=checkout duration>200ms')).toEqual([
      'source:spans',
      'field:service',
      'op:=',
      'value:checkout',
      'field:duration',
      'op:>',
      'number:200ms',
    ]);
  });
  it('takes words and quoted words as text', () => {
    expect(kinds('logs "connection refused" user-42 or not 10.0.0.1:5432')).toEqual([
      'source:logs',
      'string:"connection refused"',
      'text:user-42',
      'keyword:or',
      'keyword:not',
      'text:10.0.0.1:5432',
    ]);
  });
  it('does not take a URL for a comparison', () => {
    expect(kinds('logs http://a/b')).toEqual(['source:logs', 'text:http://a/b']);
  });
  it('reads lists, wildcards and escapes as values', () => {
    expect(kinds('spans service=(db, web) name=GET\\ *')).toEqual([
      'source:spans',
      'field:service',
      'op:=',
      'punct:(',
      'value:db',
      'punct:,',
      'value:web',
      'punct:)',
      'field:name',
      'op:=',
      'value:GET\\ *',
    ]);
  });
  it('tells || from a pipe, and steps from filters', () => {
    expect(kinds('spans a=1 || b=2 | where c=3 | stats p99(duration) as p by service')).toEqual([
      'source:spans',
      'field:a',
      'op:=',
      'number:1',
      'keyword:||',
      'field:b',
      'op:=',
      'number:2',
      'pipe:|',
      'step:where',
      'field:c',
      'op:=',
      'number:3',
      'pipe:|',
      'step:stats',
      'func:p99',
      'punct:(',
      'field:duration',
      'punct:)',
      'keyword:as',
      'field:p',
      'keyword:by',
      'field:service',
    ]);
  });
  it('keeps every character of any text, in order', () => {
    for (const text of [
      '',
      ' ',
      '|',
      'spans (a="',
      "logs 'x",
      'spans name=~"(a" |',
      '* {',
      'spans é=ü 決済',
      'spans a!b !c != 3',
      'a,b,',
      'spans `odd name`=1',
    ]) {
      let last = 0;
      for (const token of lex(text)) {
        expect(text.slice(last, token.from).trim()).toBe('');
        expect(token.text).toBe(text.slice(token.from, token.to));
        expect(token.to).toBeGreaterThan(token.from);
        last = token.to;
      }
      expect(text.slice(last).trim()).toBe('');
    }
  });
});

describe('indexOfColumn', () => {
  it('counts code points', () => {
    expect(indexOfColumn('ab', 2)).toBe(1);
    expect(indexOfColumn('😀b', 2)).toBe(2);
    expect(indexOfColumn('ab', 9)).toBe(2);
  });
});
