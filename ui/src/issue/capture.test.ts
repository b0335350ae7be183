import { describe, expect, it } from 'vitest';
import { type Frame, type IssueEvent, probedOf } from '../api/event.ts';
import type { Instance, LiveService, Probe } from '../api/probes.ts';
import type { Capture, SnapshotLine } from '../api/snapshots.ts';
import { obstacleOf } from './arming.ts';
import {
  capturesOf,
  closestOf,
  environmentOf,
  framesOf,
  lineInput,
  namesOf,
  placedOf,
  probeOf,
  sameFunction,
  serviceOf,
  type Target,
  targetOf,
  unsupported,
} from './capture.ts';

const own: Frame = { function: 'apply_discount', file: 'app/pricing.py', abs_path: '/srv/shop/app/pricing.py', line: 16, in_app: true };
const library: Frame = {
  function: 'loads',
  file: 'json/__init__.py',
  abs_path: '/usr/lib/python3.12/json/__init__.py',
  line: 3,
  in_app: false,
};
const event = (more: Partial<IssueEvent> = {}, frames: Frame[] = [own]): IssueEvent => ({
  event_id: 'e1',
  time: '2026-01-01T10:00:00.000000000Z',
  exceptions: [{ type: 'TypeError', frames }],
  ...more,
});
const line = (id: string, more: Partial<SnapshotLine> = {}): SnapshotLine => ({
  id,
  probe: 'p1',
  time: '2026-01-01T10:00:00.100000000Z',
  file: '/srv/shop/app/pricing.py',
  function: 'apply_discount',
  kind: 'exception',
  ...more,
});
const services = (...names: string[]) => names.map((service) => ({ service }) as LiveService);
const instance = (more: Partial<Instance>) => ({ id: '1', agent: 'a1', connected: true, attachable: true, ...more }) as Instance;

describe('what is waited for', () => {
  it('is the exception in the function that raised it', () => {
    expect(targetOf(event())).toMatchObject({
      where: { exception: 'TypeError', file: 'app/pricing.py', function: 'apply_discount' },
      framesVars: 3,
      frame: own,
    });
  });
  it('is the library that raised it, with enough frames that one’s own has its locals', () => {
    const deep = targetOf(event({}, [library, library, library, own]));
    expect(deep).toMatchObject({ where: { file: 'json/__init__.py', function: 'loads' }, framesVars: 5, frame: own });
  });
  it('is nothing where no exception was raised', () => {
    expect(targetOf({ event_id: 'e', time: '', message: 'hello' })).toBeUndefined();
  });
  it('is named as the runtime knows it, not as a source map does', () => {
    const mapped: Frame = { function: 'pay', file: 'src/pay.ts', raw: { function: 't', file: 'app:///dist/pay.js' }, in_app: true };
    expect(targetOf(event({}, [mapped]))?.where).toMatchObject({ file: 'dist/pay.js' });
  });
});

describe('the service', () => {
  it('is looked for by all names that the event gives it', () => {
    const one = event({ service: 'checkout', tags: [{ key: 'service.name', value: 'shop' }], release: 'api@1.2', server_name: 'web-1' });
    expect(namesOf(one)).toEqual(['checkout', 'shop', 'api', 'web-1']);
    expect(serviceOf(one, services('web', 'api'))).toBe('api');
    expect(serviceOf(one, services('web'))).toBeUndefined();
  });
  it('is asked for in the environment of the event, when its processes say theirs', () => {
    const one = event({ environment: 'production' });
    expect(environmentOf(one, [instance({ environment: 'production' })])).toEqual({ environment: 'production' });
    expect(environmentOf(one, [instance({})])).toEqual({});
    expect(environmentOf(one, [instance({ environment: 'staging' })])).toEqual({ none: ['staging'] });
    expect(environmentOf(one, [instance({ environment: 'staging' }), instance({})])).toEqual({});
  });
  it('says what is in the way', () => {
    const one = event({ service: 'shop', environment: 'test' });
    const known = { services: services('shop'), agents: 1, instances: [instance({})], service: 'shop' };
    expect(obstacleOf(one, known, ['probe'])).toBeUndefined();
    expect(obstacleOf(one, known, ['read'])).toEqual({ why: 'scope' });
    expect(obstacleOf(one, { ...known, agents: 0 }, ['probe'])).toEqual({ why: 'agent' });
    expect(obstacleOf(one, { ...known, service: undefined }, ['probe'])).toEqual({ why: 'service', names: ['shop'], seen: ['shop'] });
    expect(obstacleOf(one, { ...known, instances: [instance({ environment: 'dev' })] }, ['probe'])).toMatchObject({ why: 'environment' });
    expect(obstacleOf(one, { ...known, instances: [instance({ attachable: false })] }, ['probe'])).toMatchObject({ why: 'instances' });
  });
});

describe('its probe', () => {
  const target = targetOf(event());
  const probe = (id: string, more: Partial<Probe> = {}) =>
    ({ id, service: 'shop', state: 'installed', created: '2026-01-01T10:00:00Z', where: target?.where, instances: [], ...more }) as Probe;
  it('is the one that waits for the same, else the last that did', () => {
    if (!target) throw new Error('no target');
    const list = [
      probe('p1', { state: 'done' }),
      probe('p2'),
      probe('p3', { where: { exception: 'KeyError' } }),
      probe('p4', { service: 'web' }),
    ];
    expect(probeOf(list, target, 'shop')?.id).toBe('p2');
    expect(probeOf(list.slice(0, 1), target, 'shop')?.id).toBe('p1');
    expect(probeOf([], target, 'shop')).toBeUndefined();
  });
  it('stands in some processes, and says of each reason once why not in others', () => {
    const at = (state: string, code?: string) => ({ agent: 'a', process: 'p', state, code }) as Probe['instances'][0];
    const one = probe('p1', {
      instances: [at('installed'), at('error', 'runtime_unsupported'), at('error', 'runtime_unsupported'), at('pending')],
    });
    expect(placedOf(one)).toMatchObject({ placed: 1, of: 4 });
    expect(placedOf(one).refusals).toHaveLength(1);
    expect(unsupported(one)).toBe(false);
  });
  it('may be one at the line, where no process tells of exceptions', () => {
    if (!target) throw new Error('no target');
    const refused = { agent: 'a', process: 'p', state: 'error', code: 'runtime_unsupported' } as Probe['instances'][0];
    expect(unsupported(probe('p1', { instances: [refused] }))).toBe(true);
    expect(unsupported(probe('p1', { instances: [{ ...refused, code: 'no_permission' }] }))).toBe(false);
    expect(probeOf([probe('p1', { where: { file: 'app/pricing.py', line: 16 } })], target, 'shop')?.id).toBe('p1');
    expect(probeOf([probe('p1', { where: { file: 'app/pricing.py', line: 17 } })], target, 'shop')).toBeUndefined();
  });
  it('says what stands in that line, where the event has told', () => {
    const at = (frame: Frame) => lineInput(targetOf(event({}, [frame])) as Target);
    expect(at({ ...own, context: [[16, '  b  = a']] })).toMatchObject({
      where: { file: 'app/pricing.py', line: 16 },
      line_hash: '65c8d18c6cb8422f926624dddd015ff7e180604547b95a966dff90cb4ba4dadc',
    });
    expect(at(own).line_hash).toBeUndefined();
    expect(at({ ...own, context: [[16, 'b = a']], raw: { file: 'dist/pay.js', line: 1 } }).line_hash).toBeUndefined();
  });
});

describe('captures of an event', () => {
  it('are those of its trace, and those at its time that are of no other trace', () => {
    const one = event({ trace: 't1', snapshots: [line('s1', { trace: 't1' })] });
    const hits = [line('s1', { trace: 't1' }), line('s2'), line('s3', { trace: 't2' }), line('s4', { time: '2026-01-01T10:01:00Z' })];
    expect(capturesOf(one, hits).map(({ id }) => id)).toEqual(['s1', 's2']);
  });
  it('are the one that it was made of, where no SDK has sent it', () => {
    const id = 'a'.repeat(32);
    const sdk = { name: 'clew.probe', version: '1' };
    const made = event({ event_id: id, sdk, contexts: { probe: { id: 'p7', snapshot: id } } });
    expect(probedOf(made)).toEqual({ probe: 'p7', snapshot: id });
    const lines = capturesOf(made, [line('s2')]);
    expect(lines.map((one) => one.id)).toEqual([id, 's2']);
    expect(closestOf(made, lines)).toMatchObject({ id, probe: 'p7', event: id });
    // It is in its trace already.
    expect(capturesOf({ ...made, trace: 't1', snapshots: [line(id, { trace: 't1', event: id })] }, [])).toHaveLength(1);
  });
  it('are not believed to be one of this server’s that others name', () => {
    const id = 'a'.repeat(32);
    const contexts = { probe: { id: 'p7', snapshot: id } };
    expect(probedOf(event({ event_id: id, contexts, sdk: { name: 'sentry.python' } }))).toBeUndefined();
    expect(probedOf(event({ event_id: 'b'.repeat(32), contexts, sdk: { name: 'clew.probe' } }))).toBeUndefined();
    const odd = { probe: { id: '//evil.example', snapshot: id } };
    expect(probedOf(event({ event_id: id, contexts: odd, sdk: { name: 'clew.probe' } }))).toBeUndefined();
  });
  it('show its locals best when they were taken as it was raised', () => {
    const lines = [line('s1', { kind: 'snapshot' }), line('s2'), line('s3', { function: 'other' })];
    expect(closestOf(event(), lines)?.id).toBe('s2');
    expect(closestOf(event(), [lines[2] as SnapshotLine])).toBeUndefined();
  });
  it('are laid over the frames of the stack, each once', () => {
    const capture = {
      frames: [
        { function: 'apply_discount', file: '/srv/shop/app/pricing.py', vars: [] },
        { function: 'run', file: '/x/web.py', vars: [] },
        { function: 'apply_discount', file: '/srv/shop/app/pricing.py' },
      ],
    } as unknown as Capture;
    const outer: Frame = { ...own, line: 30 };
    expect([...framesOf({ frames: [own, outer] }, capture)]).toEqual([[own, 0]]);
  });
  it('match by function and file, however much of them is named', () => {
    expect(sameFunction({ function: 'Order.total', file: 'a/b.py' }, { function: 'total', file: '/srv/a/b.py' })).toBe(true);
    expect(sameFunction({ function: 'total', file: 'a/b.py' }, { function: 'total', file: '/srv/c/b.py' })).toBe(false);
    expect(sameFunction({ function: 'total', file: 'b.py' }, { function: 'total', file: 'ab.py' })).toBe(false);
    expect(sameFunction({ file: 'b.py' }, { file: 'b.py' })).toBe(false);
  });
});
