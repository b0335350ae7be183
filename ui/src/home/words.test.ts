import { describe, expect, it } from 'vitest';
import type { Finding, Overview, OverviewService } from '../api/overview.ts';
import { calmFacts, change, conclusion, deployEffect, failsBadly, isSlower, leadFact, moment } from './words.ts';

const NOW = new Date(2026, 2, 14, 14, 32).getTime();
const at = (hours: number, minutes: number, day = 14) => new Date(2026, 2, day, hours, minutes).toISOString();

const service = (name: string, more: Partial<OverviewService> = {}): OverviewService => ({
  service: name,
  kind: 'service',
  requests: 100,
  errors: 0,
  ...more,
});

function overview(
  finding: Finding,
  services = [service('web'), service('checkout'), service('postgresql', { kind: 'database' })],
): Overview {
  return { from: '', to: '', step: 1, series: { time: [], requests: [], errors: [], p50: [], p95: [] }, services, deploys: [], finding };
}

const said = (finding: Finding, services?: OverviewService[]) => {
  const { mood, pieces } = conclusion(overview(finding, services), NOW, 'in the last 6 h');
  return `${mood}: ${pieces.map((piece) => (piece.strong ? `*${piece.text}*` : piece.text)).join('')}`;
};

describe('the conclusion', () => {
  it('says who fails, since when, and what went out then', () => {
    const finding: Finding = { state: 'failing', service: 'checkout', since: at(14, 8) };
    expect(said(finding)).toBe('e: *checkout* has been failing since 14:08');
    expect(said({ ...finding, cause: { kind: 'deploy', service: 'checkout', version: '1.4.2' } })).toBe(
      'e: *checkout* has been failing since 14:08, when *1.4.2* went out',
    );
    expect(said({ ...finding, cause: { kind: 'deploy', service: 'payments', version: '2.9.0' } })).toBe(
      'e: *checkout* has been failing since 14:08, when *payments* *2.9.0* went out',
    );
  });
  it('names the day when that is another one', () => {
    expect(said({ state: 'slow', service: 'web', since: at(23, 50, 13) })).toBe('w: *web* has been slow since 13 Mar 23:50');
    expect(moment(Date.parse(at(0, 5)), NOW)).toBe('00:05');
  });
  it('does not know since when', () => {
    expect(said({ state: 'failing', service: 'web' })).toBe('e: *web* is failing');
  });
  it('counts services that are well, not what they call', () => {
    expect(said({ state: 'healthy' })).toBe('k: All 2 services are well');
    expect(said({ state: 'healthy' }, [service('web')])).toBe('k: *web* is well');
  });
  it('says all is well when issues and monitors are, too', () => {
    const with_ = (issues: number, ...monitors: string[]) => {
      const { mood, pieces } = conclusion(overview({ state: 'healthy' }), NOW, 'in the last 6 h', { issues, monitors });
      return `${mood}: ${pieces.map((piece) => piece.text).join('')}`;
    };
    expect(with_(0)).toBe('k: All 2 services are well');
    expect(with_(1)).toBe('w: 1 issue needs a look');
    expect(with_(3)).toBe('w: 3 issues need a look');
    expect(with_(0, 'nightly')).toBe('e: The monitor nightly fails');
    expect(with_(2, 'nightly', 'hourly')).toBe('e: 2 monitors fail, and 2 issues need a look');
  });
  it('says when nothing arrives', () => {
    expect(said({ state: 'quiet' }, [])).toBe('none: Nothing has arrived in the last 6 h');
    expect(said({ state: 'healthy' }, [])).toBe('none: Nothing has arrived in the last 6 h');
  });
});

describe('the facts under it', () => {
  it('have the former value beside the present one', () => {
    expect(leadFact({ state: 'failing', error_ratio: 0.061, error_ratio_before: 0.002 })).toEqual({
      number: '6.1\u202f%',
      words: ' of requests fail, was 0.2\u202f%',
    });
    expect(leadFact({ state: 'failing', error_ratio: 0.5 })?.words).toBe(' of requests fail');
    expect(leadFact({ state: 'slow', p95: 488e6, p95_before: 318e6 })).toEqual({
      number: '488\u202fms',
      words: ' for the slowest 5\u202f%, was 318\u202fms',
    });
    expect(leadFact({ state: 'healthy' })).toBeUndefined();
  });
  it('sum up a calm day', () => {
    const calm = overview({ state: 'healthy' });
    expect(calmFacts(calm)).toEqual(['no requests in this range']);
    calm.series = { time: ['', '', ''], requests: [100, 100, 0], errors: [1, 0, 0], p50: [1, 1, null], p95: [4e6, 6e6, null] };
    expect(calmFacts(calm)).toEqual(['200 requests', '0.5\u202f% failed', 'p95 around 6.0\u202fms']);
  });
});

describe('a change', () => {
  it.each([
    [488, 318, '+53\u202f%'],
    [98, 100, '−2\u202f%'],
    [1000, 1001, '±0\u202f%'],
    [5000, 100, '×50'],
  ])('%d after %d: %s', (now, before, text) => expect(change(now, before)?.text).toBe(text));
  it('needs something to compare with', () => {
    expect(change(1, undefined)).toBeUndefined();
    expect(change(1, 0)).toBeUndefined();
  });
});

describe('what stands out', () => {
  it('is an error ratio of one in a hundred, or twice what it was', () => {
    expect(failsBadly({ errors: 6, error_ratio: 0.06 })).toBe(true);
    expect(failsBadly({ errors: 6, error_ratio: 0.006, before: { requests: 1, errors: 0, error_ratio: 0.002 } })).toBe(true);
    expect(failsBadly({ errors: 6, error_ratio: 0.003, before: { requests: 1, errors: 0, error_ratio: 0 } })).toBe(false);
    expect(failsBadly({ errors: 1, error_ratio: 1 })).toBe(false);
  });
  it('is a quarter slower, over enough requests', () => {
    const before = { requests: 100, errors: 0, p95: 100 };
    expect(isSlower({ requests: 100, p95: 130, before })).toBe(true);
    expect(isSlower({ requests: 100, p95: 120, before })).toBe(false);
    expect(isSlower({ requests: 3, p95: 130, before })).toBe(false);
  });
});

describe('a deploy', () => {
  const deploy = { time: '', service: 'checkout', version: '2', requests: 100 };
  it('is judged by errors first, then by time', () => {
    expect(deployEffect({ ...deploy, error_ratio_before: 0.002, error_ratio_after: 0.061, worse: true })).toEqual({
      text: 'errors +5.9\u202fpts',
      mood: 'e',
    });
    expect(deployEffect({ ...deploy, error_ratio_before: 0, error_ratio_after: 0, p95_before: 100, p95_after: 108 }).text).toBe(
      'p95 +8\u202f%',
    );
    expect(deployEffect({ ...deploy, error_ratio_before: 0, error_ratio_after: 0, p95_before: 100, p95_after: 101 }).text).toBe(
      'no change',
    );
    expect(deployEffect({ ...deploy, requests: 0 }).text).toBe('no requests since');
  });
});
