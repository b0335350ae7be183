// The words for the state of ingest. Pure.
import { count } from '../format/number.ts';

/** What /api/v1/ingest answers; counts begin with the start of the server. */
export interface IngestAnswer {
  since: string;
  requests: number;
  records: number;
  bytes: number;
  rejected: number;
  repeated: number;
  refused: { unauthenticated: number; forbidden: number; quota: number; malformed: number; busy: number };
  store: { rows: number; bytes: number; cap?: number; free?: number; read_only: boolean; disk_full: boolean; why?: string };
}

export interface IngestState {
  mood: 'e' | 'w' | 'k';
  word: string;
  why: string;
  /** Requests that were sent and not kept. */
  refused: number;
}

const REASONS: [keyof IngestAnswer['refused'], string][] = [
  ['unauthenticated', 'without a valid key'],
  ['forbidden', 'with a key that may not ingest'],
  ['quota', 'over the rate of their project'],
  ['malformed', 'that could not be decoded'],
  ['busy', 'that were asked to come later'],
];
/** Less than this share of the disk free is too little. */
const LOW_DISK = 512e6;

export function ingestState(answer: IngestAnswer): IngestState {
  const { store, refused } = answer;
  const all = REASONS.reduce((sum, [name]) => sum + refused[name], 0);
  const reasons = REASONS.filter(([name]) => refused[name] > 0).map(([name, words]) => `${count(refused[name])} ${words}`);
  if (answer.rejected > 0) reasons.push(`${count(answer.rejected)} single records refused`);
  const why = reasons.length > 0 ? `Requests since the start: ${reasons.join(', ')}` : 'Everything that was sent is kept';
  if (store.disk_full) return { mood: 'e', word: 'disk full', why: store.why ?? why, refused: all };
  if (store.read_only) return { mood: 'e', word: 'read-only', why: store.why ?? why, refused: all };
  if (store.free !== undefined && store.free < LOW_DISK) return { mood: 'w', word: 'disk nearly full', why, refused: all };
  if (all > 0 || answer.rejected > 0) return { mood: 'w', word: 'some refused', why, refused: all };
  return { mood: 'k', word: 'healthy', why, refused: 0 };
}

/** `61`, `4.2`, `0.3`, `0.01`, `0`. */
export function perSecond(rate: number): string {
  if (rate === 0 || rate >= 9.95) return count(rate);
  return rate >= 0.095 ? rate.toFixed(1) : rate.toFixed(2);
}
