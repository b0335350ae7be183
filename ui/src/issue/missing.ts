// What to do about a frame without source.
import type { Frame, IssueEvent } from '../api/event.ts';

const SCRIPT = /\.(m|c)?js(\?.*)?$|^(https?:|app:|webpack)/;

/** The command that uploads the source maps of a release, with the server and release in it; undefined: maps would not help. */
export function uploadCommand(frame: Frame, event: IssueEvent, origin = location.origin): string | undefined {
  const script = event.platform === 'javascript' || event.platform === 'node';
  if (!script || frame.symbolicated || !SCRIPT.test(frame.abs_path ?? frame.file ?? '')) return undefined;
  if (!frame.missing && !frame.in_app) return undefined;
  const release = event.release ? ` --release ${/^[\w.@+/-]+$/.test(event.release) ? event.release : `'${event.release}'`}` : '';
  return `sentry-cli --url ${origin} sourcemaps upload --project ${event.project ?? 'default'}${release} ./dist`;
}
