// A line's fields under the names that queries know them by.
import type { LogRow, Value } from '../api/types.ts';

/** Shown in the row or beside it, not as fields. */
const APART = new Set([
  'source',
  'time',
  'received',
  'observed',
  'id',
  'body',
  'trace',
  'span',
  'flags',
  'attr',
  'resource',
  'scope',
  'match',
  'severity',
]);

export interface Field {
  name: string;
  value: Value;
  level: 'fixed' | 'attr' | 'resource' | 'scope';
}

/** What the line itself says first, where it was written last. */
export function fieldsOf(row: LogRow): Field[] {
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(row.attr ?? {}).sort()) fields.push({ name, value, level: 'attr' });
  for (const [name, value] of Object.entries(row)) {
    if (!APART.has(name) && value !== undefined)
      fields.push({ name, value: value as Value, level: name.startsWith('scope.') ? 'scope' : 'fixed' });
  }
  for (const [name, value] of Object.entries(row.scope ?? {}).sort()) fields.push({ name: `scope.${name}`, value, level: 'scope' });
  for (const [name, value] of Object.entries(row.resource ?? {}).sort()) fields.push({ name, value, level: 'resource' });
  return fields;
}

/** The name in a query: attributes that hide behind a fixed field need their level. */
export function queryName({ name, level }: Field, row: LogRow): string {
  if (level === 'attr') return name in row ? `attr.${name}` : name;
  return level === 'resource' ? `resource.${name}` : name;
}

/** A column's value, by the name that a query knows it by. */
export function valueAt(row: LogRow, name: string): Value | undefined {
  const [level, rest] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
  if (level === 'attr' || level === 'resource') return row[level]?.[rest];
  const own = (row as unknown as Record<string, Value | undefined>)[name];
  return own ?? row.attr?.[name] ?? (level === 'scope' ? row.scope?.[rest] : undefined) ?? row.resource?.[name];
}
