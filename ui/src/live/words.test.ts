import { describe, expect, it } from 'vitest';
import type { Instance, Placement, Probe } from '../api/probes.ts';
import {
  core,
  hitsWords,
  instanceSaid,
  metricAddress,
  nameOf,
  placedWords,
  placementSaid,
  placeOf,
  probeSaid,
  sameWords,
} from './words.ts';

const instance: Instance = { id: '1-100', agent: 'a1', host: 'web-1', connected: true, attachable: true, instance: 'shop-1' };
const placement: Placement = { agent: 'a1', process: '1-100', state: 'installed', hits: 40, filtered: 32, errors: 0, dropped: 0 };
const probe = {
  id: 'p1',
  kind: 'snapshot',
  where: { file: 'app/pricing.py', line: 87 },
  state: 'installed',
  paused: false,
  hits: 20,
  hits_used: 8,
  captures: 8,
  dropped: 0,
  instances: [placement],
} as unknown as Probe;

it('says how much a probe has counted, and where that is drawn', () => {
  const counting = { ...probe, kind: 'metric', metric: { kind: 'count', name: 'orders.placed' } } as Probe;
  expect(probeSaid(counting)).toBe('8 counted');
  expect(metricAddress(counting)).toBe('/explore/metrics?q=metrics+name%3Dorders.placed+probe%3Dp1');
  expect(metricAddress({ ...probe, kind: 'timer' } as Probe)).toContain('name%3Dprobe.duration');
});

describe('what a probe has become in a process', () => {
  it('says the cost of one that stands, and of a refusal why and what to do', () => {
    expect(placementSaid({ ...placement, cost_ratio: 0.0000001 }, instance)).toEqual({
      tone: 'ok',
      text: 'placed, under 0.001\u202f% of a core',
    });
    const elsewhere = { ...placement, line: 85, cost_ratio: 0.02 };
    expect(placementSaid(elsewhere, instance, 87).text).toBe('placed at line 85 of its version, 2.0\u202f% of a core');
    expect(placementSaid(elsewhere, instance, 85).text).toBe('placed, 2.0\u202f% of a core');
    const made = { ...placement, data: { generated: { file: '/srv/shop/dist/orders.js', line: 17, column: 3 } } };
    expect(placementSaid(made, instance).text).toBe('placed, mapped from dist/orders.js:17');
    expect(placementSaid({ ...placement, data: { generated: 'dist' } }, instance).text).toBe('placed');
    const other = { ...placement, state: 'mismatch', code: 'source_mismatch', message: 'the line that was seen is not in the file' };
    expect(placementSaid(other, instance, 87)).toMatchObject({
      tone: 'bad',
      text: 'other source: the line that was seen is not in the file',
    });
    const refused = {
      ...placement,
      state: 'unresolvable',
      code: 'no_code_at_line',
      message: 'no statement begins at this line',
      data: { nearest: [84, 86] },
    };
    expect(placementSaid(refused, instance)).toEqual({
      tone: 'bad',
      text: 'no statement begins at this line',
      way: 'Nearest lines with a statement: 84, 86.',
      code: 'no_code_at_line',
    });
    expect(
      placementSaid({ ...placement, state: 'error', code: 'invalid_probe', message: 'the agent does not take it' }, instance),
    ).toMatchObject({ tone: 'bad', text: 'the agent does not take it', way: expect.stringContaining('same one') });
    expect(
      placementSaid({ ...placement, state: 'suspended', code: 'host_brake', message: 'the agent took 200 MB' }, instance),
    ).toMatchObject({ tone: 'warn', text: 'suspended: the agent took 200 MB', way: expect.stringContaining('by itself') });
    expect(
      placementSaid({ ...placement, state: 'waiting', code: 'not_loaded', message: 'no code of this file is loaded yet' }, instance),
    ).toMatchObject({
      tone: 'wait',
      text: 'waiting: no code of this file is loaded yet',
      way: 'It is placed as soon as the program imports the file.',
    });
  });
  it('knows hosts that are away, states and codes of newer agents, and data of any shape', () => {
    expect(placementSaid(placement, { ...instance, connected: false }).tone).toBe('off');
    expect(placementSaid({ ...placement, state: 'hovering', code: 'new_code' }, instance)).toEqual({
      tone: 'off',
      text: 'hovering',
      code: 'new_code',
    });
    expect(placementSaid({ ...placement, state: 'error', code: 'ambiguous_file', data: { candidates: 7 } }, instance).way).toBe(
      'Name more of the path.',
    );
  });
  it('names a process by its host where it has no name of its own', () => {
    expect(nameOf({ id: '7-100', instance: '7-100', host: 'web-1', pid: 7 })).toBe('web-1:7');
    expect(nameOf({ id: '7-100', instance: 'shop-1', host: 'web-1', pid: 7 })).toBe('shop-1');
  });
  it('says why a process takes none', () => {
    expect(instanceSaid({ ...instance, attachable: false, code: 'no_permission', message: 'may not trace' })).toMatchObject({
      tone: 'bad',
      text: 'may not trace',
      way: expect.stringContaining('CAP_SYS_PTRACE'),
    });
    expect(instanceSaid({ ...instance, attachable: false, message: 'no', hint: 'Do this.' }).way).toBe('Do this.');
    expect(instanceSaid(instance)).toEqual({ tone: 'ok', text: 'ready' });
  });
});

describe('a probe in words', () => {
  it('counts what was kept, what did not match, what was lost', () => {
    expect(hitsWords(probe)).toBe('8 of 20 hits, 0 dropped');
    expect(hitsWords({ ...probe, if: 'x > 1', dropped: 2, instances: [{ ...placement, errors: 1 }] } as Probe)).toBe(
      '8 of 20 hits, 32 runs did not match, 1 condition failed, 2 dropped',
    );
    expect(hitsWords({ ...probe, keep: 'trace_error', if: 'x > 1' } as Probe)).toBe(
      '8 of 20 hits, 32 runs did not match or were not kept, 0 dropped',
    );
    expect(hitsWords({ ...probe, events: 1, events_left_out: 0 } as Probe)).toBe('8 of 20 hits, 0 dropped, 1 error event');
    expect(hitsWords({ ...probe, events: 5, events_left_out: 3 } as Probe)).toBe(
      '8 of 20 hits, 0 dropped, 5 error events, 3 left out by limits or filters',
    );
    expect(probeSaid({ ...probe, state: 'done', captures: 20 } as Probe)).toBe('done, 20 hits');
    expect(placedWords(probe, [instance, { ...instance, id: '2-100' }])).toBe('1 of 2 placed');
  });
  it('names places shortly', () => {
    expect(placeOf({ file: 'app/pricing.py', line: 87 })).toBe('pricing.py:87');
    expect(placeOf({ function: 'apply_discount', at: 'exit' })).toBe('apply_discount() exit');
    expect(placeOf({ exception: 'TypeError' })).toBe('TypeError');
    expect(placeOf({ exception: 'TypeError', file: 'app/pricing.py', function: 'rate_of' })).toBe('TypeError in rate_of()');
    expect(placeOf({ exception: '*', file: 'app/pricing.py' })).toBe('any exception in pricing.py');
  });
  it('rounds shares of a core', () => {
    expect(core(0)).toBe('under 0.001\u202f% of a core');
    expect(core(0.00048)).toBe('0.05\u202f% of a core');
    expect(core(0.019)).toBe('1.9\u202f% of a core');
    expect(core(0.5)).toBe('50\u202f% of a core');
  });
  it('compares texts of one file', () => {
    expect(sameWords(1, 1)).toBe('');
    expect(sameWords(3, 3)).toBe('same text in all 3 instances');
    expect(sameWords(2, 3)).toBe('same text in 2 of 3 instances');
  });
});
