// Where in the code a span, a log line or a logpoint's line was made, as far as it says so.
import type { Attributes, LogRow } from '../api/types.ts';
import type { Place } from './links.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : undefined);

/** Where in the code a span or a line says that it was made; both generations of the conventions. */
export function codeOf(attr: Attributes | undefined): { file: string; line: number } | undefined {
  const file = text(attr?.['code.file.path']) ?? text(attr?.['code.filepath']);
  const line = Number(attr?.['code.line.number'] ?? attr?.['code.lineno']);
  return file && Number.isInteger(line) && line > 0 ? { file, line } : undefined;
}

/** Folders of code that others have written. */
const LIBRARY = /(^|\/)(site-packages|dist-packages|node_modules|lib\/python\d[\d.]*)\/|^node:|^</;

/** The place to capture at, if it is in a program's own code. */
export function ownCode(service: string | undefined, attr: Attributes | undefined): Place | undefined {
  const code = codeOf(attr);
  return code && service && !LIBRARY.test(code.file.replaceAll('\\', '/')) ? { service, ...code } : undefined;
}

/** The probe that has written a line, and its place. */
export function probeOf(row: LogRow): Place | undefined {
  return row.probe ? { service: row.service, probe: row.probe, ...codeOf(row.attr) } : undefined;
}
