import { describe, expect, it } from 'vitest';
import { type Known, remember, type Target, targetsFor, traceIdIn } from './targets.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';

describe('traceIdIn', () => {
  it.each([
    [ID, ID],
    [ID.toUpperCase(), ID],
    ['0af76519-16cd-43dd-8448-eb211c80319c', ID],
    [`  ${ID} `, ID],
    [`00-${ID}-b7ad6b7169203331-01`, ID],
    ['8448eb211c80319c', '00000000000000008448eb211c80319c'],
    ['checkout', undefined],
    ['0af7', undefined],
  ])('%s', (text, id) => expect(traceIdIn(text)).toBe(id));
});

describe('targetsFor', () => {
  const page = (label: string): Target => ({ kind: 'page', id: `/${label.toLowerCase()}`, label, what: 'page' });
  const known: Known = {
    services: [
      { service: 'web', spans: 5, errors: 0 },
      { spans: 1, errors: 0 },
      { service: 'checkout', spans: 3, errors: 1 },
    ],
    pages: [page('Traces'), page('Logs')],
    commands: [{ kind: 'command', id: 'theme', label: 'Theme: system, light, dark', what: 'command' }],
    recent: [],
  };
  const labels = (text: string, more: Partial<Known> = {}) => targetsFor(text, { ...known, ...more }).map((target) => target.label);

  it('offers what was used, pages, services, commands', () => {
    const recent: Target[] = [page('Logs'), { kind: 'trace', id: ID, label: ID, what: 'trace' }];
    expect(labels('', { recent })).toEqual(['Logs', ID, 'Traces', 'web', 'checkout', 'Theme: system, light, dark']);
  });
  it('narrows by any part of the name, what begins so first', () => {
    expect(labels('heck').slice(0, 1)).toEqual(['checkout']);
    expect(labels('t').slice(0, 3)).toEqual(['Traces', 'Theme: system, light, dark', 'checkout']);
    expect(labels('dark')[0]).toBe('Theme: system, light, dark');
  });
  it('takes an id for a trace, a short one for a span too', () => {
    expect(targetsFor(ID, known)).toEqual([
      { kind: 'trace', id: ID, label: ID, what: 'trace' },
      { kind: 'event', id: ID, label: ID, what: 'error event' },
    ]);
    expect(targetsFor('8448eb211c80319c', known).map((target) => target.kind)).toEqual(['span', 'trace']);
  });
  it('takes a query for a query', () => {
    expect(targetsFor('logs level>=warn', known)).toEqual([
      { kind: 'query', id: 'logs level>=warn', label: 'logs level>=warn', what: 'query' },
    ]);
  });
  it('searches records for what it does not know', () => {
    expect(targetsFor("it's gone", known).map((target) => target.id)).toEqual(["logs 'it''s gone'", "spans 'it''s gone'"]);
  });
});

describe('remember', () => {
  const target = (id: string): Target => ({ kind: 'service', id, label: id, what: 'service', rows: 5 });
  it('puts it first, once, without its count', () => {
    const list = remember(remember(remember([], target('a')), target('b')), target('a'));
    expect(list.map((entry) => entry.id)).toEqual(['a', 'b']);
    expect(list[0]).not.toHaveProperty('rows');
  });
  it('forgets the oldest, and never keeps a command', () => {
    let list: Target[] = [];
    for (let n = 0; n < 30; n++) list = remember(list, target(String(n)));
    expect(list).toHaveLength(12);
    expect(remember([], { kind: 'command', id: 'live', label: 'Live', what: 'command' })).toEqual([]);
  });
});

describe('issues', () => {
  const known: Known = { services: [], pages: [], commands: [], recent: [] };
  const found: Target = { kind: 'issue', id: 'SHOP-42', label: 'TypeError: no', what: 'SHOP-42' };
  it('are found by their short name, written anyhow', () => {
    expect(targetsFor('shop-42', known)[0]).toEqual({ kind: 'issue', id: 'SHOP-42', label: 'SHOP-42', what: 'issue' });
    expect(targetsFor('my-shop-7', known)[0]?.id).toBe('MY-SHOP-7');
    expect(targetsFor('shop', known).some((target) => target.kind === 'issue')).toBe(false);
  });
  it('and by their titles, each once', () => {
    expect(targetsFor('typeerr', { ...known, issues: [found] }).map((target) => target.id)).toContain('SHOP-42');
    expect(targetsFor('shop-42', { ...known, issues: [found] }).filter((target) => target.kind === 'issue')).toHaveLength(1);
  });
});
