import { describe, expect, it } from 'vitest';
import { keptFrom, scoped, scopeOf, scopeTerms } from './scope.ts';

const params = (text: string) => new URLSearchParams(text);

describe('the scope', () => {
  it('is read from the address', () => {
    expect(scopeOf(params('project=shop&env=production&from=-1h'))).toEqual({ project: 'shop', environment: 'production' });
    expect(scopeOf(params('env='))).toEqual({});
  });
  it('becomes terms, quoted where they must be', () => {
    expect(scopeTerms({ project: 'shop', environment: 'blue green' })).toEqual(['project=shop', "environment='blue green'"]);
  });
  it('narrows the filter of a query and nothing else', () => {
    const within = { project: 'shop', environment: 'production' };
    expect(scoped('spans status=error | stats count() by service', within)).toBe(
      'spans status=error project=shop environment=production | stats count() by service',
    );
    expect(scoped('logs a or b', { project: 'shop' })).toBe('logs (a or b) project=shop');
    expect(scoped('spans | traces', {})).toBe('spans | traces');
  });
  it('is not added twice', () => {
    expect(scoped('spans project=shop', { project: 'shop' })).toBe('spans project=shop');
  });
});

describe('what stays from page to page', () => {
  it('is range and scope', () => {
    expect(keptFrom({ path: '/logs', params: params('from=-1h&env=prod&q=logs'), trail: [] })).toEqual({ from: '-1h', env: 'prod' });
  });
  it('comes from before an entity, which has none', () => {
    const trail = [{ label: 'Traces', href: '/traces?from=-6h&project=shop&q=spans' }];
    expect(keptFrom({ path: '/traces/1', params: params('span=2'), trail })).toEqual({ from: '-6h', project: 'shop' });
    expect(keptFrom({ path: '/traces/1', params: params('from=-5m'), trail })).toEqual({ from: '-5m' });
  });
});
