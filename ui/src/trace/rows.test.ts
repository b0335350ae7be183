import { describe, expect, it } from 'vitest';
import { answerOf, type Sketch } from './fixture.ts';
import { buildTrace, type SpanNode, type TraceModel } from './model.ts';
import { detailOf, layoutRows, matcher, type Row } from './rows.ts';

const none = { folded: new Set<never>(), opened: new Set<SpanNode>() };
const show = (rows: Row[]) => rows.map((row) => '  '.repeat(row.depth) + label(row));
function label({ node }: Row): string {
  if (node.type === 'repeat') return `${node.spans[0]?.name} x${node.spans.length}`;
  return node.type === 'span' ? node.name : node.type;
}

const sql = (id: string, at: number, text = 'SELECT price FROM products'): Sketch => [
  id,
  'a',
  1,
  'shop',
  'SELECT',
  at,
  1,
  { kind: 'client', attr: { 'db.query.text': text } },
];
const cart = (): TraceModel =>
  buildTrace(
    answerOf([
      ['a', '', 0, 'shop', 'load_cart', 0, 20],
      sql('0', 1, 'SELECT sku FROM cart'),
      sql('1', 3),
      sql('2', 5),
      sql('3', 7),
      sql('4', 9),
    ]),
  );

describe('layoutRows', () => {
  it('folds what was done again and again into one row', () => {
    expect(show(layoutRows(cart(), none))).toEqual(['load_cart', '  SELECT', '  SELECT x4']);
  });
  it('opens it again', () => {
    const model = cart();
    const rows = layoutRows(model, { ...none, opened: new Set([model.spans[2] as SpanNode]) });
    expect(show(rows)).toEqual(['load_cart', '  SELECT', '  SELECT x4', '    SELECT', '    SELECT', '    SELECT', '    SELECT']);
  });
  it('never hides an error in a repeat', () => {
    const model = cart();
    (model.spans[3] as SpanNode).error = true;
    expect(show(layoutRows(model, none))).toHaveLength(6);
  });
  it('hides what is below a folded span', () => {
    const model = cart();
    expect(show(layoutRows(model, { ...none, folded: new Set([model.spans[0] as SpanNode]) }))).toEqual(['load_cart']);
  });
});

describe('matcher', () => {
  it('looks into names and attributes, for all words', () => {
    const find = matcher('products select') as (node: SpanNode) => boolean;
    const spans = cart().spans;
    expect(spans.map(find)).toEqual([false, false, true, true, true, true]);
    expect(matcher('  ')).toBeUndefined();
  });
});

describe('detailOf', () => {
  it('adds the statement to a name that is only its verb', () => {
    expect(detailOf(cart().spans[2] as SpanNode)).toBe('price FROM products');
  });
});
