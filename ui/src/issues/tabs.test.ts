import { describe, expect, it } from 'vitest';
import { addTerm } from '../query/write.ts';
import { switchTab, TABS, tabOf } from './tabs.ts';

const by = (id: string) => TABS.find((tab) => tab.id === id) as (typeof TABS)[number];

describe('tabs', () => {
  it('are queries, and a query is a tab', () => {
    for (const tab of TABS) expect(tabOf(tab.query('ada'), 'ada')).toBe(tab.id);
    expect(tabOf('issues', 'ada')).toBeUndefined();
    expect(tabOf('issues state=new', 'ada')).toBeUndefined();
  });
  it('are recognised with what the reader added, in any order', () => {
    expect(tabOf('issues release=1.4.2 state=regressed', 'ada')).toBe('regressed');
    expect(tabOf('issues  assignee=ada  state=(new, ongoing, escalating, regressed)', 'ada')).toBe('mine');
    expect(tabOf('issues state=(new, ongoing, escalating, regressed) assignee=eve', 'ada')).toBe('unresolved');
  });
  it('keep what the reader added when another is chosen', () => {
    const query = addTerm(by('review').query('ada'), 'release=1.4.2');
    expect(switchTab(query, by('archived'), 'ada')).toBe('issues state=archived release=1.4.2');
    expect(switchTab(by('mine').query('ada'), by('resolved'), 'ada')).toBe('issues state=resolved');
  });
});
