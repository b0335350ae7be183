// What came beside the records of a trace, in words: recordings and profiles, kept as they were sent.
import type { TraceFile } from '../api/types.ts';

const KINDS: { [kind: string]: string } = {
  replay: 'Replay',
  replay_event: 'Replay',
  profile: 'Profile',
  minidump: 'Minidump',
};

export function fileWords(file: TraceFile): string {
  const kind = KINDS[file.kind];
  if (!kind) return file.name || file.kind;
  const of = (file.replay ?? file.profile ?? '').slice(0, 8);
  const about = file.kind === 'replay_event' ? 'about ' : '';
  const part = file.segment === undefined ? '' : `, ${about}part ${file.segment + 1}`;
  return `${kind}${of && ` ${of}`}${part}`;
}

/** By what they are of, the parts of a recording in order. */
export function filesInOrder(files: readonly TraceFile[]): TraceFile[] {
  const rank = ({ kind }: TraceFile) => Object.keys(KINDS).indexOf(kind);
  return files.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.replay ?? a.profile ?? '').localeCompare(b.replay ?? b.profile ?? '') ||
      (a.segment ?? 0) - (b.segment ?? 0) ||
      a.id - b.id,
  );
}

/** Those of a trace that an event's page lists beside its own files. */
export function filesBeside(files: readonly TraceFile[], own: readonly { id: string | number }[]): TraceFile[] {
  const known = new Set(own.map(({ id }) => String(id)));
  return filesInOrder(files.filter(({ id }) => !known.has(String(id))));
}
