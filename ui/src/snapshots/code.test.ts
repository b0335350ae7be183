import { describe, expect, it } from 'vitest';
import { ownCode, probeOf } from './code.ts';
import { liveHref } from './links.ts';

describe('where code stands', () => {
  it('is read in both generations of the conventions', () => {
    expect(ownCode('shop', { 'code.file.path': 'app/pricing.py', 'code.line.number': 16 })).toEqual({
      service: 'shop',
      file: 'app/pricing.py',
      line: 16,
    });
    expect(ownCode('shop', { 'code.filepath': '/srv/shop/src/cart.js', 'code.lineno': '7' })?.line).toBe(7);
  });

  it('is a place to capture at only where it is known, and a program’s own', () => {
    expect(ownCode('shop', undefined)).toBeUndefined();
    expect(ownCode('shop', { 'code.file.path': 'app/pricing.py' })).toBeUndefined();
    expect(ownCode(undefined, { 'code.file.path': 'app/pricing.py', 'code.line.number': 16 })).toBeUndefined();
    for (const file of [
      '/usr/lib/python3/dist-packages/flask/app.py',
      '/venv/lib/python3.12/site-packages/flask/app.py',
      '/usr/lib/python3.12/threading.py',
      '/srv/node_modules/express/lib/router.js',
      'node:internal/timers',
      '<frozen importlib._bootstrap>',
      'C:\\app\\node_modules\\x.js',
    ])
      expect(ownCode('shop', { 'code.file.path': file, 'code.line.number': 1 })).toBeUndefined();
  });

  it('leads from a line to its logpoint', () => {
    const row = { time: '', service: 'shop', probe: 'p2', attr: { 'code.file.path': 'app/pricing.py', 'code.line.number': 16 } };
    expect(liveHref(probeOf(row) ?? {})).toBe('/live?service=shop&file=app%2Fpricing.py&line=16&probe=p2');
    expect(probeOf({ time: '' })).toBeUndefined();
  });

  it('takes along what stood in the line, as far as it is known', () => {
    const place = { service: 'shop', file: 'a.py', line: 16 };
    expect(liveHref({ ...place, text: '  b  = a' })).toBe('/live?service=shop&file=a.py&line=16&seen=65c8d18c6cb8422f');
    expect(liveHref({ ...place, text: ' ' })).toBe('/live?service=shop&file=a.py&line=16');
  });
});
