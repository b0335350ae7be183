// Source in its colours: a few rules that hold in most languages, enough to read a dozen lines by. It never fails; what it does not
// know stays plain.

export type Tone = '' | 'kw' | 'st' | 'nu' | 'fn' | 'ty' | 'co';

export interface Piece {
  tone: Tone;
  text: string;
}

type Family = 'python' | 'ruby' | 'c' | 'js' | 'php' | 'value';

const BY_EXTENSION: Record<string, Family> = {
  py: 'python',
  pyx: 'python',
  pyi: 'python',
  rb: 'ruby',
  erb: 'ruby',
  ex: 'ruby',
  exs: 'ruby',
  php: 'php',
  js: 'js',
  jsx: 'js',
  ts: 'js',
  tsx: 'js',
  mjs: 'js',
  cjs: 'js',
  mts: 'js',
  vue: 'js',
  svelte: 'js',
};
const BY_PLATFORM: Record<string, Family> = { python: 'python', ruby: 'ruby', elixir: 'ruby', php: 'php', javascript: 'js', node: 'js' };

export function familyOf(file: string | undefined, platform: string | undefined): Family {
  const extension = /\.([a-z]+)(?:[?#].*)?$/i.exec(file ?? '')?.[1]?.toLowerCase();
  return (extension && BY_EXTENSION[extension]) || BY_PLATFORM[platform ?? ''] || 'c';
}

const words = (text: string) => new Set(text.split(' '));
const COMMON =
  'if else for while do switch case default break continue return try catch finally throw new class extends implements interface enum struct import export from as in is of const let var function static public private protected void this super null true false async await yield';
const KEYWORDS: Record<Family, Set<string>> = {
  python: words(
    'def class return if elif else for while try except finally raise with as import from pass break continue lambda yield global nonlocal del assert and or not in is None True False async await match case self',
  ),
  ruby: words(
    'def class module end return if elsif else unless case when then for while until do begin rescue ensure raise yield self nil true false and or not in require include attr_reader attr_accessor fn defmodule defp',
  ),
  js: words(`${COMMON} typeof instanceof delete undefined type readonly declare namespace satisfies keyof`),
  php: words(`${COMMON} echo foreach use namespace fn match abstract final trait array isset unset elseif`),
  c: words(
    `${COMMON} fn let mut pub impl trait mod use match where loop move ref self Self func package go defer chan map range select type nil val fun object when override abstract final sealed record package throws synchronized goto typedef union sizeof extern inline unsigned signed int long short char float double bool boolean byte string auto using namespace template typename nullptr NULL virtual operator delete guard init extension protocol`,
  ),
  value: words('None True False null undefined true false nil NaN Infinity NULL'),
};

const STRING = /(?:[rbfuRBFU]{1,2})?("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)/y;
const TEMPLATE = /`(?:[^`\\]|\\.)*`?/y;
const NUMBER = /(?:0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)[a-zA-Z]{0,3}\b/y;
const WORD = /[\p{L}_$@][\p{L}\p{N}_$]*/uy;
const SPACE = /\s+/y;

/** What is still open at the end of a line. */
type Open = '' | '"""' | "'''" | '*/' | '`';

function lineComment(family: Family, text: string, at: number): boolean {
  const two = text.slice(at, at + 2);
  if (family === 'python' || family === 'ruby') return text[at] === '#';
  if (family === 'value') return false;
  return two === '//' || (family === 'php' && text[at] === '#');
}

class Painter {
  private open: Open = '';
  constructor(private readonly family: Family) {}

  line(text: string): Piece[] {
    const pieces: Piece[] = [];
    let at = 0;
    const put = (tone: Tone, to: number) => {
      const last = pieces.at(-1);
      const piece = text.slice(at, to);
      if (last && last.tone === tone) last.text += piece;
      else if (piece) pieces.push({ tone, text: piece });
      at = to;
    };
    const match = (pattern: RegExp) => {
      pattern.lastIndex = at;
      return pattern.exec(text)?.[0];
    };
    const rest = (closing: Open, tone: Tone, from: number) => {
      const end = text.indexOf(closing, from);
      this.open = end < 0 ? closing : '';
      put(tone, end < 0 ? text.length : end + closing.length);
    };
    if (this.open) rest(this.open, this.open === '*/' ? 'co' : 'st', 0);
    let before = '';
    while (at < text.length) {
      const space = match(SPACE);
      if (space) {
        put('', at + space.length);
        continue;
      }
      const three = text.slice(at, at + 3);
      if (this.family === 'python' && (three === '"""' || three === "'''")) rest(three, 'st', at + 3);
      else if (lineComment(this.family, text, at)) put('co', text.length);
      else if (text.startsWith('/*', at) && (this.family === 'c' || this.family === 'js' || this.family === 'php'))
        rest('*/', 'co', at + 2);
      else if (text[at] === '`' && this.family === 'js') {
        const whole = match(TEMPLATE) ?? '`';
        if (whole.length > 1 && whole.endsWith('`')) put('st', at + whole.length);
        else rest('`', 'st', at + 1);
      } else before = this.token(text, at, match, put, before);
    }
    return pieces;
  }

  private token(
    text: string,
    at: number,
    match: (pattern: RegExp) => string | undefined,
    put: (tone: Tone, to: number) => void,
    before: string,
  ): string {
    const string = match(STRING);
    if (string) {
      put('st', at + string.length);
      return '';
    }
    const number = match(NUMBER);
    if (number) {
      put('nu', at + number.length);
      return '';
    }
    const word = match(WORD);
    if (!word) {
      put('', at + 1);
      return text[at] ?? '';
    }
    const after = text.slice(at + word.length).trimStart()[0];
    const known = KEYWORDS[this.family].has(word) && before !== '.';
    const tone: Tone = known ? 'kw' : /^[A-Z][a-z]/.test(word) ? 'ty' : after === '(' && this.family !== 'value' ? 'fn' : '';
    put(tone, at + word.length);
    return word;
  }
}

export function paintLines(lines: readonly string[], file: string | undefined, platform: string | undefined): Piece[][] {
  const painter = new Painter(familyOf(file, platform));
  return lines.map((line) => painter.line(line));
}

/** A value as its program writes it. */
export function paintValue(text: string): Piece[] {
  return new Painter('value').line(text);
}
