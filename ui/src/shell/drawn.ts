// All text that the pages draw goes through here: what came from outside (titles, messages, names, values) has none of the
// characters that turn the order of the text around them. What is written in fields or copied is as it was sent.
import { options, type VNode } from 'preact';
import { visible } from '../format/visible.ts';

const NAMED = ['title', 'aria-label', 'alt', 'placeholder'];

function drawn(child: unknown): unknown {
  if (typeof child === 'string') return visible(child);
  if (!Array.isArray(child)) return child;
  const all = child.map(drawn);
  // The list may be somebody's data: it is never written, and the same list as long as nothing is wrong with it.
  return all.some((one, index) => one !== child[index]) ? all : child;
}

export function drawVisible(): void {
  const before = options.vnode;
  options.vnode = (vnode: VNode) => {
    const props = vnode.props as Record<string, unknown> | null;
    if (props?.children !== undefined) props.children = drawn(props.children);
    if (props && typeof vnode.type === 'string')
      for (const name of NAMED) if (typeof props[name] === 'string') props[name] = visible(props[name]);
    before?.(vnode);
  };
}
