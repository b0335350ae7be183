import { describe, expect, it } from 'vitest';
import { familyOf, type Piece, paintLines, paintValue } from './paint.ts';

const shown = (pieces: Piece[]) => pieces.filter((piece) => piece.tone).map((piece) => `${piece.tone}:${piece.text}`);
const text = (pieces: Piece[]) => pieces.map((piece) => piece.text).join('');

describe('painting source', () => {
  it('keeps every character', () => {
    const lines = ['def f(a):  # "x"', '\tif a is None: return `b` /* 3 */', "  s = 'it\\'s' + \"open", 'ünï = 0x1F'];
    expect(paintLines(lines, 'a.py', 'python').map(text)).toEqual(lines);
    expect(paintLines(lines, 'a.ts', 'javascript').map(text)).toEqual(lines);
  });
  it('tells keywords, functions, types, strings, numbers and comments apart', () => {
    expect(shown(paintLines(['def off(order): return Decimal("0.5") * 2 # half'], 'p.py', undefined)[0] ?? [])).toEqual([
      'kw:def',
      'fn:off',
      'kw:return',
      'ty:Decimal',
      'st:"0.5"',
      'nu:2',
      'co:# half',
    ]);
    expect(shown(paintLines(['const n = await load(`a b`); // now'], 'x.ts', undefined)[0] ?? [])).toEqual([
      'kw:const',
      'kw:await',
      'fn:load',
      'st:`a b`',
      'co:// now',
    ]);
  });
  it('goes on over lines', () => {
    const [first, second, third] = paintLines(['"""Price of', 'an order."""  x = 1', 'y'], 'p.py', undefined);
    expect(shown(first ?? [])).toEqual(['st:"""Price of']);
    expect(shown(second ?? [])).toEqual(['st:an order."""', 'nu:1']);
    expect(shown(third ?? [])).toEqual([]);
    expect(shown(paintLines(['/* a', 'b */ int c'], 'p.c', undefined)[1] ?? [])).toEqual(['co:b */', 'kw:int']);
  });
  it('knows no keyword behind a dot', () => {
    expect(shown(paintLines(['order.in'], 'p.js', undefined)[0] ?? [])).toEqual([]);
  });
  it('goes by the name of the file, then by the platform', () => {
    expect(familyOf('app/cart.tsx?v=3', undefined)).toBe('js');
    expect(familyOf('<eval>', 'python')).toBe('python');
    expect(familyOf(undefined, undefined)).toBe('c');
  });
});

describe('painting values', () => {
  it('has what programs write for nothing as a keyword', () => {
    expect(shown(paintValue("Decimal('184.50')"))).toEqual(['ty:Decimal', "st:'184.50'"]);
    expect(shown(paintValue('None'))).toEqual(['kw:None']);
    expect(shown(paintValue('-12.5'))).toEqual(['nu:12.5']);
  });
});
