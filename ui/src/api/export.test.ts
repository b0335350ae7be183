import { describe, expect, it } from 'vitest';
import { CsvWriter, csvCell, flat } from './export.ts';

describe('a cell of CSV', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('that a spreadsheet would run is text: %j', (text) =>
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/),
  );
  it('keeps numbers, also negative ones, as numbers', () => expect(csvCell(-1.5)).toBe('-1.5'));
  it('quotes what would end it', () => expect(csvCell('a "b",\nc')).toBe('"a ""b"",\nc"'));
  it('is empty for what is missing', () => expect(csvCell(undefined)).toBe(''));
});

it('CSV has the columns of its first rows, and what comes later in the last one', () => {
  let text = '';
  const csv = new CsvWriter((more) => (text += more), 2);
  csv.push({ a: 1 });
  csv.push({ b: '=x' });
  csv.push({ a: 2, c: 'late' });
  csv.end();
  expect(text).toBe('a,b,more\r\n1,,\r\n,\'=x,\r\n2,,"{""c"":""late""}"\r\n');
});

it('the names of a formula-like attribute are made safe too', () => expect(csvCell('=attr')).toBe("'=attr"));

it('attributes are columns of their own', () => {
  expect(flat({ time: 't', attr: { 'http.route': '/x', list: [1] } })).toEqual({ time: 't', 'attr.http.route': '/x', 'attr.list': [1] });
});
