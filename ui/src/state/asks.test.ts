import { describe, expect, it } from 'vitest';
import { commandLine, rangeFlags, recordsOf, shellWord } from './asks.ts';

describe('the command line', () => {
  it('is one word of the shell, whatever is in the query', () => {
    expect(shellWord('logs')).toBe('logs');
    expect(shellWord("logs 'it''s'")).toBe("'logs '\\''it'\\'''\\''s'\\'''");
    expect(shellWord('spans $(reboot) `x`')).toBe("'spans $(reboot) `x`'");
    expect(shellWord('')).toBe("''");
  });
  it('has the range of the page', () => {
    expect(commandLine('spans status=error', rangeFlags('-1h', undefined, '-15m'))).toBe("clew query 'spans status=error' --from -1h");
    expect(rangeFlags(undefined, undefined, '-15m')).toBe(' --from -15m');
    expect(rangeFlags('0', '1000', '-15m')).toBe(' --from 1970-01-01T00:00:00.000Z --to 1970-01-01T00:00:01.000Z');
  });
});

describe('the records of a query', () => {
  it('are where its source is listed', () => {
    expect(recordsOf('spans service=web | stats count() by name')).toEqual({ page: '/traces', query: 'spans service=web' });
    expect(recordsOf('logs')).toEqual({ page: '/logs', query: 'logs' });
    expect(recordsOf('* x')).toBeUndefined();
  });
});
