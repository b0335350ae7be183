import { h, options, type VNode } from 'preact';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawVisible } from './drawn.ts';

const before = options.vnode;
beforeAll(drawVisible);
afterAll(() => {
  if (before) options.vnode = before;
  else delete options.vnode;
});

const props = (vnode: { props: object }) => vnode.props as Record<string, unknown>;

describe('what the pages draw', () => {
  it('has nothing that turns the order of text', () => {
    const node = h('a', { title: 'photo\u202egpj.exe', href: '/x?q=\u202e' }, 'photo\u202egpj.exe', ' and ', h('b', {}, '\u001b[2J'));
    expect(props(node)).toMatchObject({ title: 'photo‹U+202E›gpj.exe', href: '/x?q=\u202e' });
    const children = props(node)['children'] as [string, string, VNode];
    expect(children.slice(0, 2)).toEqual(['photo‹U+202E›gpj.exe', ' and ']);
    expect(props(children[2])['children']).toBe('␛[2J');
  });
  it('leaves lists alone that are data', () => {
    const data = ['a', '\u2066b'];
    const node = h('p', null, data);
    expect(props(node)['children']).toEqual(['a', '‹U+2066›b']);
    expect(data).toEqual(['a', '\u2066b']);
    const good = ['a', 'b'];
    expect(props(h('p', null, good))['children']).toBe(good);
  });
  it('leaves what is written as it was', () => {
    expect(props(h('input', { value: '\u202ex' }))['value']).toBe('\u202ex');
  });
});
