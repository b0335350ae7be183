import { expect, it } from 'vitest';
import type { LogRow } from '../api/types.ts';
import { fieldsOf, queryName, valueAt } from './fields.ts';

const row = {
  time: 't',
  service: 'web',
  level: 'info',
  body: 'x',
  attr: { service: 'hidden', 'order.id': 7 },
  resource: { 'host.name': 'vm' },
} as LogRow;

it('names fields so that a query finds them, also behind a fixed one', () => {
  const names = fieldsOf(row).map((field) => queryName(field, row));
  expect(names).toEqual(['order.id', 'attr.service', 'service', 'level', 'resource.host.name']);
});

it('reads columns by these names', () => {
  expect(valueAt(row, 'order.id')).toBe(7);
  expect(valueAt(row, 'service')).toBe('web');
  expect(valueAt(row, 'attr.service')).toBe('hidden');
  expect(valueAt(row, 'resource.host.name')).toBe('vm');
  expect(valueAt(row, 'host.name')).toBe('vm');
  expect(valueAt(row, 'nothing')).toBeUndefined();
});
