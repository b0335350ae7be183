import { describe, expect, it } from 'vitest';
import { marked, safeText, searched } from './text.ts';

describe('text from outside', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['a\u0000b\u0008c', 'a\u2400b\u2408c'],
    ['\u001bPq', 'q'],
    ['tab\tand\nline', 'tab\tand\nline'],
    ['user\u202etxt.exe', 'user‹U+202E›txt.exe'],
    ['ÉCHEC 決済', 'ÉCHEC 決済'],
  ])('%j is shown as %j', (text, shown) => expect(safeText(text)).toBe(shown));
});

describe('what is searched', () => {
  it.each([
    ['logs refused', ['refused']],
    ['logs "connection refused" level>=warn', ['connection refused']],
    ["logs 'Refused' not retry", ['Refused']],
    ['logs service=checkout name="x y"', []],
    ['logs body:timeout', ['timeout']],
    ['logs conn* | where x=refused', ['conn']],
  ])('%s', (query, words) => expect(searched(query)).toEqual(words));
  it('is marked whatever its case', () => {
    expect(marked('Connection Refused: 1', ['connection refused'])).toEqual(['', 'Connection Refused', ': 1']);
    expect(marked('a.b', ['.'])).toEqual(['a', '.', 'b']);
  });
});
