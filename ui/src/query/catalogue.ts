// Fields and values for completion, asked when they are needed and kept for a while.
import { getJson } from '../api/client.ts';
import type { FieldInfo, ValueInfo } from '../api/types.ts';

const KEEP_MS = 20_000;
const kept = new Map<string, { at: number; answer: Promise<unknown> }>();

function keep<T>(key: string, ask: () => Promise<T>): Promise<T> {
  const old = kept.get(key);
  if (old && Date.now() - old.at < KEEP_MS) return old.answer as Promise<T>;
  const answer = ask();
  if (kept.size > 200) kept.clear();
  kept.set(key, { at: Date.now(), answer });
  answer.catch(() => kept.delete(key));
  return answer;
}

interface Range {
  from: number;
  to: number;
}

/** Most used first. */
export function fieldsOf(source: string, range: Range): Promise<FieldInfo[]> {
  return keep(`f ${source}`, async () => {
    const answer = await getJson<{ fields: FieldInfo[] }>('/api/v1/fields', { source, from: range.from, to: range.to });
    return answer.fields;
  });
}

const UNLISTED = new Set(['time', 'received', 'duration', 'self', 'trace', 'span', 'parent', 'id', 'observed']);

export async function valuesOf(source: string, field: string, prefix: string, range: Range): Promise<ValueInfo[]> {
  if (UNLISTED.has(field)) return [];
  return keep(`v ${source} ${field} ${prefix}`, async () => {
    const params = { source, field, from: range.from, to: range.to, limit: 50, ...(prefix && { prefix }) };
    const answer = await getJson<{ values: ValueInfo[] }>('/api/v1/values', params);
    return answer.values;
  });
}
