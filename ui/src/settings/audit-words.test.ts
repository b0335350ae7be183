import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEEDS, probeWords, worded } from './audit-words.ts';
import type { AuditEntry } from './types.ts';

const SRC = path.join(import.meta.dirname, '../../../src');
/** The calls that write an entry, and which of their arguments says its kind; the wrappers are found by their file. */
const WRITERS: [call: string, argument: number, only?: string][] = [
  ['meta_audit_add', 2],
  ['meta_audit_put', 2],
  ['meta_setting_set', 3],
  ['audit', 2, 'live/probe.c'],
  ['audit', 1, 'api/issue_endpoint.c'],
];
/** Where the kind is an argument of the function that calls: its own callers are looked at instead. */
const PASSED_ON = ['live/probe.c', 'api/issue_endpoint.c', 'meta/meta_setting.c', 'meta/meta_audit.c'];

/** Arguments of the call whose bracket opens at `from`. */
function args(text: string, from: number): string[] {
  const list = [''];
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const c = text[at] ?? '';
    if (quoted && c === '\\') list[list.length - 1] += c + text[++at];
    else {
      if (c === '"') quoted = !quoted;
      if (!quoted && '([{'.includes(c) && depth++ === 0) continue;
      if (!quoted && ')]}'.includes(c) && --depth === 0) return list.map((one) => one.trim());
      if (!quoted && c === ',' && depth === 1) list.push('');
      else list[list.length - 1] += c;
    }
  }
  throw new Error('a call without an end');
}

/** Every kind of entry that the server's source writes, with the file it stands in. */
function written(): [kind: string, file: string][] {
  const found: [string, string][] = [];
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.c'))) {
    const text = readFileSync(path.join(SRC, file), 'utf8');
    for (const [call, argument, only] of WRITERS) {
      if (only && only !== file) continue;
      for (const { index } of text.matchAll(new RegExp(`(?<![\\w"])${call}\\(`, 'g'))) {
        const list = args(text, index + call.length);
        if (/^(const )?struct /.test(list[0] ?? '')) continue; // its definition
        const kind = list[argument] ?? '';
        const literals = [...kind.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
        const constant = new RegExp(`static const char ${kind}\\[\\] = "(\\w+)"`).exec(text)?.[1];
        if (constant) literals.push(constant);
        if (literals.length === 0 && PASSED_ON.includes(file)) continue;
        expect(literals, `${file}: the kind of ${call}(…, ${kind}, …) cannot be read`).not.toHaveLength(0);
        for (const literal of literals) found.push([call === 'meta_setting_set' ? `project.${literal}` : literal, file]);
      }
    }
  }
  return found;
}

describe('the words of the trail', () => {
  it('has some for every kind that the source writes', () => {
    const all = written();
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter(([kind]) => !(kind in DEEDS)).map(([kind, file]) => `${kind} of ${file}`)).toEqual([]);
  });

  it('has none for what nobody writes any more', () => {
    const kinds = new Set(written().map(([kind]) => kind));
    expect(Object.keys(DEEDS).filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});

const entry = (action: string, target: string, detail = '', actor = 'user:ada') =>
  worded({ seq: 1, time: '2026-01-01T00:00:00Z', hash: '', actor, action, target, detail } as AuditEntry);

it('says a probe as people write it, also where its JSON was cut, and leads to it', () => {
  const json = '{"service":"checkout","kind":"log","where":{"file":"app/orders.py","line":42},"if":"o[\\"total\\"] > 100","log":{"templ';
  expect(entry('probe.add', 'p3', json)).toEqual({
    who: 'ada',
    did: 'placed a probe',
    what: 'p3',
    href: '/live?service=checkout&file=app%2Forders.py&line=42&probe=p3',
    detail: 'checkout app/orders.py:42, log, if o["total"] > 100',
  });
  expect(entry('probe.remove', 'p3', json).href).toBeUndefined();
  expect(probeWords('{"service":"shop","kind":"snapshot","where":{"function":"place","at":"entry"}}')).toBe('shop place()');
  expect(probeWords('no JSON')).toBe('no JSON');
});

it('leads to what was read', () => {
  const event = '7f3a9c0444aa4bb29d1e5a6b7c8d9e0f';
  expect(entry('values.read', `event ${event}`)).toMatchObject({ what: 'of event 7f3a9c04', href: `/events/${event}` });
  expect(entry('values.read', 'snapshot', 'abcdef0123456789')).toMatchObject({ href: '/snapshots/abcdef0123456789', detail: '' });
  expect(entry('values.read', 'query', 'logs vars.a=1')).toMatchObject({ what: 'by a query', href: '/logs?q=logs%20vars.a%3D1' });
  expect(entry('values.read', 'query', 'snapshots vars.a=1').href).toBeUndefined();
});

it('leads to issues, projects and agents, and not to what is gone', () => {
  expect(entry('issue.merge', 'issue 12', 'of 12, 13').href).toBe('/issues/12');
  expect(entry('project.filters', 'shop').href).toBe('/settings/projects/shop');
  expect(entry('project.rename', 'shop', 'now store').href).toBe('/settings/projects/store');
  expect(entry('agent.remove', 'a3', 'web-1')).toMatchObject({ what: 'web-1', detail: 'a3' });
  expect(entry('user.remove', 'mara').href).toBeUndefined();
  expect(entry('moon.landed', 'x').did).toBe('moon.landed');
});
