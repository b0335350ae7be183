// The frames of an error event: its lists, which stand side by side, as lines to be read.
import type { EventRow } from '../api/types.ts';

export interface Frame {
  name: string;
  /** File or module, with the line. */
  place: string;
  /** Of the application itself, not of a library. */
  own: boolean;
}

export interface StackRun {
  folded: boolean;
  frames: Frame[];
}

/** Fewer frames of libraries than this stay where they are. */
const FOLD_LEAST = 2;

/** Innermost first. */
export function framesOf(row: EventRow): Frame[] {
  const functions = row['stack.function'] ?? [];
  const files = row['stack.file'] ?? [];
  const modules = row['stack.module'] ?? [];
  const lines = row['stack.line'] ?? [];
  const own = row['stack.in_app'] ?? [];
  const count = Math.max(functions.length, files.length, modules.length, lines.length);
  return Array.from({ length: count }, (_, i) => {
    const where = files[i] || modules[i] || '';
    const line = lines[i];
    return {
      name: functions[i] || '(anonymous)',
      place: line === undefined || line === null || Number(line) === 0 ? where : `${where}:${line}`,
      own: own[i] === true,
    };
  });
}

/** Runs of library frames are folded, unless the stack has nothing else. */
export function stackRuns(frames: Frame[]): StackRun[] {
  if (!frames.some((frame) => frame.own)) return [{ folded: false, frames }];
  const runs: { own: boolean; frames: Frame[] }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last && last.own === frame.own) last.frames.push(frame);
    else runs.push({ own: frame.own, frames: [frame] });
  }
  return runs.map((run) => ({ folded: !run.own && run.frames.length >= FOLD_LEAST, frames: run.frames }));
}

export function stackText(title: string, frames: Frame[]): string {
  return [title, ...frames.map((frame) => `  at ${frame.name}${frame.place ? ` (${frame.place})` : ''}`)].join('\n');
}
