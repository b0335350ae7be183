// The text of a line as it can be shown: what a terminal would obey is taken out or made visible, words of the query are marked.
import { visible } from '../format/visible.ts';
import { lex } from '../query/lex.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
export const safeText = (text: string): string => visible(text.replace(ANSI, ''));

/** The words that the query searches the text for. */
export function searched(query: string): string[] {
  const words: string[] = [];
  let before = '';
  let negated = false;
  for (const token of lex(query)) {
    if (token.kind === 'pipe') break;
    if (token.kind === 'keyword') negated = /^(not|!)$/i.test(token.text);
    const ofField = before === '=' || before === '!=' || before === '=~' || before === '!~';
    const text = token.kind === 'text' || token.kind === 'string' || (before === ':' && /^(value|number)$/.test(token.kind));
    if (text && !negated && !ofField && token.text !== '*') {
      const word = token.text.replace(/^["']|["']$/g, '').replace(/\*$/, '');
      if (word.length > 1) words.push(word);
    }
    if (token.kind !== 'keyword') negated = false;
    before = token.kind === 'op' ? token.text : token.kind === 'punct' ? before : '';
  }
  return words;
}

/** Pieces of the text, every second of them found. */
export function marked(text: string, words: readonly string[]): string[] {
  if (words.length === 0) return [text];
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\s+/g, '\\s+'));
  return text.split(new RegExp(`(${escaped.join('|')})`, 'gi'));
}
