import { describe, expect, it } from 'vitest';
import { choicesFor, insertChoice, spotAt } from './complete.ts';

/** The cursor stands at the bar. */
function at(marked: string) {
  const cursor = marked.indexOf('¦');
  return spotAt(marked.replace('¦', ''), cursor);
}

describe('spotAt', () => {
  it.each([
    ['¦', 'source', ''],
    ['sp¦', 'source', 'sp'],
    ['spans ¦', 'field', ''],
    ['spans ser¦', 'field', 'ser'],
    ['spans service=web na¦', 'field', 'na'],
    ['spans service=¦', 'value', ''],
    ['spans service=ch¦', 'value', 'ch'],
    ['spans service=(web, ch¦', 'value', 'ch'],
    ['spans service=(¦', 'value', ''],
    ['spans service="GE¦', 'value', '"GE'],
    ['spans service=web ¦', 'field', ''],
    ['spans | ¦', 'step', ''],
    ['spans |¦', 'step', ''],
    ['spans | sta¦', 'step', 'sta'],
    ['spans | stats co¦', 'step-args', 'co'],
    ['spans | where sta¦', 'field', 'sta'],
    ['logs "some te¦', 'nothing', '"some te'],
  ])('%s -> %s', (marked, kind, prefix) => {
    expect(at(marked)).toMatchObject({ kind, prefix });
  });
  it('knows whose value', () => {
    expect(at('logs level>=w¦').field).toBe('level');
    expect(at('spans attr.http.route=¦').field).toBe('attr.http.route');
    expect(at('spans service=(web, ¦').field).toBe('service');
  });
});

describe('choicesFor', () => {
  const fields = [
    { field: 'service', rows: 10, types: ['string'] },
    { field: 'duration', rows: 10, types: ['duration'] },
    { field: 'http.response.status_code', rows: 4, types: ['int'] },
  ];
  it('offers fields by any part of their name, whole prefixes first', () => {
    expect(choicesFor(at('spans s¦'), fields, []).map((choice) => choice.label)).toEqual(['service', 'http.response.status_code']);
  });
  it('writes the operator that makes sense', () => {
    expect(choicesFor(at('spans dur¦'), fields, [])[0]?.insert).toBe('duration>');
  });
  it('quotes values that need it and counts them', () => {
    const choices = choicesFor(at('spans name=¦'), fields, [
      { value: "GET /it's", rows: 3 },
      { value: 'home', rows: 2 },
    ]);
    expect(choices.map((choice) => [choice.insert, choice.rows])).toEqual([
      ["'GET /it''s'", 3],
      ['home', 2],
    ]);
  });
  it('offers the words of an enum that are not in the data, behind those that are', () => {
    expect(choicesFor(at('spans status=¦'), fields, [{ value: 'unset', rows: 9 }]).map((choice) => choice.insert)).toEqual([
      'unset',
      'error',
      'ok',
    ]);
  });
});

describe('insertChoice', () => {
  it('replaces the word under the cursor', () => {
    const text = 'spans ser name=x';
    expect(insertChoice(text, spotAt(text, 9), { insert: 'service=' })).toEqual({ text: 'spans service= name=x', cursor: 14 });
  });
  it('leaves the cursor inside the parentheses', () => {
    expect(insertChoice('spans | stats p', spotAt('spans | stats p', 15), { insert: 'p99()', back: 1 })).toEqual({
      text: 'spans | stats p99()',
      cursor: 18,
    });
  });
});
