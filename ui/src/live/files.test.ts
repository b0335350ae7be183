import { signal } from '@preact/signals';
import { expect, it } from 'vitest';
import type { Loaded } from '../api/load.ts';
import type { Probe } from '../api/probes.ts';
import { foldersOf, functionAt, lineIn, probesByLine, readPlace, sameFile, sortedEntries } from './files.ts';
import { drop, put, upsert, withNews } from './session.ts';

it('sorts folders first, and numbers as people count', () => {
  const entries = ['b.py', 'a10.py', 'a2.py'].map((name) => ({ name, path: name, dir: false }));
  expect(sortedEntries([...entries, { name: 'z', path: 'z', dir: true }]).map((one) => one.name)).toEqual(['z', 'a2.py', 'a10.py', 'b.py']);
});

it('knows a file by less of its path', () => {
  expect(sameFile('/srv/app/pricing.py', 'app/pricing.py')).toBe(true);
  expect(sameFile('./app/pricing.py', 'app/pricing.py')).toBe(true);
  expect(sameFile('my_pricing.py', 'pricing.py')).toBe(false);
});

it('reads a path with a line', () => {
  expect(readPlace(' app/pricing.py:87 ')).toEqual({ file: 'app/pricing.py', line: 87 });
  expect(readPlace('app/a b.py')).toEqual({ file: 'app/a b.py' });
  expect(readPlace('  ')).toBeUndefined();
  expect(foldersOf('app/db/rows.py')).toEqual(['app', 'app/db']);
});

const probe = (id: string, state: string, revision = 1) =>
  ({ id, state, revision, where: { file: 'app/a.py', line: 3 }, instances: [] }) as unknown as Probe;

it('shows the probe of a line that still stands', () => {
  expect(probesByLine([probe('p2', 'done'), probe('p1', 'installed')], 'app/a.py').get(3)?.[0]?.id).toBe('p1');
  expect(probesByLine([probe('p2', 'done')], 'app/a.py').get(3)?.[0]?.id).toBe('p2');
  expect(probesByLine([probe('p2', 'done')], 'app/a.py').get(4)).toBeUndefined();
  const counting: Probe = { ...probe('p3', 'installed'), kind: 'metric' };
  expect(probesByLine([probe('p2', 'done'), counting], 'app/a.py').get(3)?.[0]?.id).toBe('p3');
  expect(
    probesByLine([counting, probe('p2', 'done'), probe('p1', 'installed')], 'app/a.py')
      .get(3)
      ?.map(({ id }) => id),
  ).toEqual(['p1', 'p3', 'p2']);
});

it('shows a probe where it stands in the version that a process runs', () => {
  const of = (placement: object) => ({ ...probe('p1', 'partial'), instances: [{ process: '2-100', ...placement }] }) as unknown as Probe;
  expect(lineIn(of({ state: 'installed', line: 5 }), [], '2-100')).toBe(5);
  expect(lineIn(of({ state: 'installed', line: 5 }), [], '1-100')).toBe(3);
  expect(lineIn(of({ state: 'pending' }), [], '2-100')).toBe(3);
  expect(lineIn(of({ state: 'mismatch' }), [], '2-100')).toBeUndefined();
  expect(probesByLine([of({ state: 'installed', line: 5 })], 'app/a.py', [], '2-100').get(5)?.[0]?.id).toBe('p1');
});

it('keeps what the stream has told when the answer of a request comes behind it', () => {
  const told = upsert([], probe('p1', 'installed'), true);
  expect(upsert(told, probe('p1', 'pending'), false)[0]?.state).toBe('installed');
  expect(upsert(told, probe('p1', 'paused', 2), false)[0]?.state).toBe('paused');
  expect(upsert(upsert([], probe('p1', 'x', 3), true), probe('p1', 'y', 2), true)[0]?.state).toBe('x');
});

it('keeps what was heard while a list was on its way that had been read before', async () => {
  const probes = { data: signal<Probe[] | undefined>(undefined) } as Loaded<Probe[]>;
  let answer = (_: Probe[]) => {};
  const list = withNews(() => new Promise<Probe[]>((resolve) => (answer = resolve)));
  put(probes, probe('p2', 'installed', 2), true);
  put(probes, probe('p3', 'installed'));
  drop(probes, 'p1');
  answer([probe('p2', 'pending'), probe('p1', 'installed')]);
  expect((await list).map(({ id, state }) => `${id} ${state}`)).toEqual(['p3 installed', 'p2 installed']);
});

it('shows a probe of a function where that begins, and knows the function around a line', () => {
  const functions = [
    { name: 'Order', line: 1, end: 9 },
    { name: 'Order.total', line: 3, end: 6 },
  ];
  const at = (where: Probe['where']) => lineIn({ where, instances: [] as unknown } as Probe, functions);
  expect(at({ file: 'a.py', line: 4 })).toBe(4);
  expect(at({ file: 'a.py', function: 'total', at: 'exit' })).toBe(3);
  expect(at({ file: 'a.py', exception: '*' })).toBe(1);
  expect(at({ file: 'a.py', function: 'gone' })).toBeUndefined();
  expect([functionAt(functions, 5), functionAt(functions, 8), functionAt(functions, 12)]).toEqual(['Order.total', 'Order', undefined]);
});
