import { describe, expect, it } from 'vitest';
import type { Instance } from '../api/probes.ts';
import { placeWords, releaseOf, runsWords } from './repository.ts';

const one = (id: string, more: Partial<Instance> = {}): Instance => ({ id, agent: 'a', connected: true, ...more });

describe('the release of what runs', () => {
  it('is that of the process that is chosen, and nothing where it says none', () => {
    const list = [one('1', { version: '1.2' }), one('2', { version: '1.3' }), one('3')];
    expect(releaseOf('shop', list, '2')).toBe('shop@1.3');
    expect(releaseOf('shop', list, '3')).toBeUndefined();
  });

  it('is of the first that can be asked, or else of one that could', () => {
    const away = one('1', { version: '1.1', connected: false });
    expect(releaseOf('shop', [away, one('2', { version: '1.0', attachable: false }), one('3', { version: '1.3' })], undefined)).toBe(
      'shop@1.3',
    );
    expect(releaseOf('shop', [away], undefined)).toBe('shop@1.1');
    expect(releaseOf('shop', [], undefined)).toBeUndefined();
  });
});

describe('what is said of a text of the repository', () => {
  it('is whose commit it is', () => {
    expect(placeWords({ exact: true, release: 'shop@1.2' })).toBe('the commit of shop@1.2');
    expect(placeWords({ exact: false, release: 'shop@1.2' })).toContain('HEAD: it knows no commit of shop@1.2');
    expect(placeWords({ exact: false, release: undefined })).toContain('no process says its version');
  });

  it('is that it may differ, until processes have told theirs', () => {
    expect(runsWords({ same: 0, of: 0, others: [] })).toBe('may differ from what runs');
    expect(runsWords({ same: 2, of: 2, others: [] })).toBe('same text in 2 instances');
    expect(runsWords({ same: 1, of: 3, others: ['a', 'b'] })).toBe('other text in 2 of 3 instances');
  });
});
