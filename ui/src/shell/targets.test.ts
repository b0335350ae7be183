import { describe, expect, it } from 'vitest';
import { targetsFor, traceIdIn } from './targets.ts';

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
  const services = [
    { service: 'web', spans: 5, errors: 0 },
    { spans: 1, errors: 0 },
    { service: 'checkout', spans: 3, errors: 1 },
  ];
  it('offers pages, then services', () => {
    expect(targetsFor('', services).map((target) => target.label)).toEqual([
      'Traces',
      'Logs',
      'Theme: system, light, dark',
      'web',
      'checkout',
    ]);
  });
  it('narrows by any part of the name', () => {
    expect(targetsFor('heck', services).map((target) => target.id)).toEqual(['checkout']);
  });
  it('takes an id for a trace', () => {
    expect(targetsFor(ID, services)).toEqual([{ kind: 'trace', id: ID, label: ID, what: 'trace' }]);
  });
});
