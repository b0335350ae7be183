import { describe, expect, it } from 'vitest';
import { type IngestAnswer, ingestState, perSecond } from './ingest.ts';

const well: IngestAnswer = {
  since: '',
  requests: 10,
  records: 100,
  bytes: 1000,
  rejected: 0,
  repeated: 0,
  refused: { unauthenticated: 0, forbidden: 0, quota: 0, malformed: 0, busy: 0 },
  store: { rows: 100, bytes: 1000, free: 1e12, read_only: false, disk_full: false },
};

describe('the state of ingest', () => {
  it('is healthy when all that was sent is kept', () => {
    expect(ingestState(well)).toMatchObject({ mood: 'k', word: 'healthy', refused: 0 });
  });
  it('says how many were refused, and why', () => {
    const state = ingestState({ ...well, refused: { ...well.refused, unauthenticated: 2, malformed: 1 } });
    expect(state).toMatchObject({ mood: 'w', word: 'some refused', refused: 3 });
    expect(state.why).toBe('Requests since the start: 2 without a valid key, 1 that could not be decoded');
  });
  it('puts the disk first', () => {
    const store = { ...well.store, disk_full: true, why: 'no space left' };
    expect(ingestState({ ...well, store, rejected: 1 })).toMatchObject({ mood: 'e', word: 'disk full', why: 'no space left' });
    expect(ingestState({ ...well, store: { ...well.store, free: 1e6 } }).word).toBe('disk nearly full');
  });
});

it('rates have as many digits as they need', () => {
  expect([0, 0.013, 0.3, 4.2, 61].map(perSecond)).toEqual(['0', '0.01', '0.3', '4.2', '61']);
});
