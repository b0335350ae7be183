import { expect, it } from 'vitest';
import { LineSplitter } from './ndjson.ts';

it('gives whole lines however the text was cut', () => {
  const text = '{"a":1}\n{"b":"x"}\n\n{"_stats":{}}\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    splitter.push(text.slice(0, cut));
    splitter.push(text.slice(cut));
    splitter.end();
    expect(lines).toEqual(['{"a":1}', '{"b":"x"}', '{"_stats":{}}']);
  }
});

it('gives a last line without an end', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  splitter.push('{"a"');
  splitter.push(':1}');
  splitter.end();
  expect(lines).toEqual(['{"a":1}']);
});
