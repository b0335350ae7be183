// The frames of a stack as they are read: one's own first to be seen, libraries folded, and the text that a terminal would show.
import type { Bag, Exception, Frame, IssueEvent } from '../api/event.ts';

export interface Run<F = Frame> {
  folded: boolean;
  frames: F[];
  /** Of the first of them, in the stack. */
  at: number;
}

/** Of a job that checks in: its events have no stack, and no other issue is the same trouble. */
export const ofMonitor = (type: string | undefined) => /^Monitor(Failed|Missed|Timeout)$/.test(type ?? '');

/** Runs of library frames are folded, unless the stack has nothing else. */
export function runsOf<F extends { in_app?: boolean }>(frames: readonly F[], full: boolean): Run<F>[] {
  if (full || !frames.some((frame) => frame.in_app)) return frames.length > 0 ? [{ folded: false, frames: [...frames], at: 0 }] : [];
  const runs: Run<F>[] = [];
  frames.forEach((frame, at) => {
    const last = runs.at(-1);
    const folded = !frame.in_app;
    if (last && last.folded === folded) last.frames.push(frame);
    else runs.push({ folded, frames: [frame], at });
  });
  return runs;
}

/** The frame that is open at first: the innermost of one's own, else the innermost with anything to see. */
export function openAtFirst(frames: readonly Frame[]): number {
  const own = frames.findIndex((frame) => frame.in_app);
  if (own >= 0) return own;
  const seen = frames.findIndex((frame) => frame.context?.length || Object.keys(frame.vars ?? {}).length > 0);
  return Math.max(seen, 0);
}

const ABSOLUTE = /^(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])/;
const INSTALLED = /^.*(?:site-packages|dist-packages|node_modules|gems|vendor)[\\/]/;

/** From somewhere else: whole paths, and those of source maps that begin where the bundle was written. */
const ELSEWHERE = /^(?:(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])|(?:\.\.[\\/])+)/;

/** The directory that all of one's own files lie in, as far as they are named from elsewhere; without the last of its names, which says whose they are. */
export function rootOf(event: IssueEvent): string {
  const stacks = [...exceptionsOf(event), ...(event.threads ?? [])].flatMap(({ frames }) => frames ?? []);
  const files = stacks.flatMap(({ in_app, file }) =>
    in_app && file && ELSEWHERE.test(file) && !INSTALLED.test(file) ? [file.split(/[\\/]/)] : [],
  );
  const [first, ...others] = files;
  if (!first) return '';
  let n = first.length - 1;
  for (const other of others) while (n > 0 && first.slice(0, n).join('/') !== other.slice(0, n).join('/')) n--;
  return first
    .slice(0, Math.max(n - 1, 0))
    .concat('')
    .join('/');
}

/** What tells a file apart: the path inside a package, or below the root. */
export function shortFile(file: string, root: string): string {
  if (!ELSEWHERE.test(file)) return file;
  const path = file.replaceAll('\\', '/');
  if (INSTALLED.test(path)) return path.replace(INSTALLED, '');
  return root.length > 1 && path.startsWith(root) ? path.slice(root.length) : file;
}

export function placeOf(frame: Frame, root = ''): string {
  const where = shortFile(frame.file || '', root) || frame.module || frame.abs_path || '';
  return frame.line ? `${where}:${frame.line}` : where;
}

/** In its repository, when a code mapping says where that is. */
export function codeOf(frame: Frame): string | undefined {
  return frame.code && (frame.line ? `${frame.code.path}:${frame.line}` : frame.code.path);
}

export function nameOf(frame: Frame): string {
  return frame.function || '(anonymous)';
}

const PACKAGED = /(?:site-packages|dist-packages|node_modules|gems|vendor)\/((?:@[^/]+\/)?[^/]+)/;
/** Where languages install what comes with them, and Cargo what it fetches: what follows is the name. */
const STANDARD = [
  /\/python\d+(?:\.\d+)*t?(?:\.zip)?\/([^/]+)/,
  /\/ruby\/\d[\d.]*\/([^/]+)/,
  /\/go(?:-[\d.]+)?\/src\/(.+)\/[^/]+$/,
  /\/rustc\/[0-9a-f]+\/library\/([^/]+)/,
  /\/registry\/src\/[^/]+\/(.+?)-\d[^/]*\//,
];
/** `org.springframework.web`, `github.com/gin-gonic/gin`: the first part says only where names are given. */
const REVERSED = /^(?:com|org|net|io|dev|de|jakarta|javax)\.([A-Za-z_]\w*)\./;
const HOSTED = /^(?:(?:github|gitlab|bitbucket)\.\w+\/[^/]+|[a-z\d-]+(?:\.[a-z\d-]+)+)\/([^/.]+)/;

function ofModule(module: string): string {
  const [, name] = HOSTED.exec(module) ?? REVERSED.exec(module) ?? [];
  return name ?? module.split(/[./:\\]/)[0] ?? '';
}

function ofPath(path: string): string {
  for (const place of STANDARD) {
    const name = place.exec(path)?.[1];
    if (name) return name;
  }
  const frozen = /^<frozen ([^.>]+)/.exec(path)?.[1];
  // Of any other whole path nothing but the file itself says what it is: its first directories are every program's.
  return frozen ?? (ABSOLUTE.test(path) ? path.split('/').at(-1) : path.replace(/^\.?\//, '').split('/')[0]) ?? '';
}

/** Whose code folded frames are: each package, or the part of the standard library, once. */
export function libraries(frames: readonly Pick<Frame, 'file' | 'abs_path' | 'module'>[], most = 4): string {
  const names: string[] = [];
  for (const { file, abs_path, module } of frames) {
    const paths = [file ?? '', abs_path ?? ''].map((path) => path.replaceAll('\\', '/'));
    const packaged = paths.map((path) => PACKAGED.exec(path)?.[1]).find(Boolean);
    const builtin = paths.find((path) => path.startsWith('node:'))?.split('/')[0];
    const name = packaged ?? builtin ?? (module ? ofModule(module) : ofPath(paths.find(Boolean) ?? ''));
    const short = name.replace(/\.(py|js|mjs|cjs|rb|php|go|rs)$/, '');
    if (short && !names.includes(short)) names.push(short);
  }
  return names.length > most ? `${names.slice(0, most).join(', ')} and ${names.length - most} more` : names.join(', ');
}

/** All exceptions of an event; a stack without one stands alone, then that of the thread that crashed. */
export function exceptionsOf(event: IssueEvent): Exception[] {
  if (event.exceptions && event.exceptions.length > 0) return event.exceptions;
  if (event.stack && event.stack.length > 0) return [{ frames: event.stack }];
  const thread = event.threads?.find((one) => one.crashed) ?? event.threads?.find((one) => one.current);
  return thread?.frames && thread.frames.length > 0 ? [{ frames: thread.frames }] : [];
}

/** The frame that raised it, as far as it is one's own. */
export function topFrame(event: IssueEvent): Frame | undefined {
  for (const { frames = [] } of exceptionsOf(event)) if (frames.length > 0) return frames[openAtFirst(frames)];
  return undefined;
}

export function lineOf(frame: Frame): string {
  return frame.context?.find(([number]) => number === frame.line)?.[1] ?? '';
}

const EMPTY = /^(None|null|undefined|nil|NaN|NULL|\[\]|\{\}|''|"")$/;

export const isEmpty = (value: unknown): boolean => value === null || (typeof value === 'string' && (value === '' || EMPTY.test(value)));

export interface Local {
  name: string;
  value: Bag[string];
  /** It stands on the line that raised. */
  used: boolean;
  /** Used there, and it holds nothing. */
  hot: boolean;
}

/** Locals, those on the line first. */
export function localsOf(frame: Frame): Local[] {
  const line = lineOf(frame);
  const onLine = new Set(line.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? []);
  return Object.entries(frame.vars ?? {})
    .map(([name, value]) => ({ name, value, used: onLine.has(name), hot: onLine.has(name) && isEmpty(value) }))
    .sort(
      (a, b) => Number(b.used) - Number(a.used) || Number(/^__/.test(a.name)) - Number(/^__/.test(b.name)) || a.name.localeCompare(b.name),
    );
}

/** As SDKs and terminals print it; raw: with the names that were sent, before they were translated. */
export function stackText(exception: Exception, platform: string | undefined): string {
  const frames = (exception.frames ?? []).map((frame) => ({
    ...frame,
    ...frame.raw,
    file: frame.raw?.file ?? frame.abs_path ?? frame.file,
  }));
  const head = exception.type ? `${exception.type}: ${exception.value ?? ''}` : (exception.value ?? '');
  if (platform === 'python') {
    const lines = [...frames].reverse().flatMap((frame) => {
      const source = lineOf(frame).trim();
      return [
        `  File "${frame.file ?? frame.module ?? '?'}", line ${frame.line ?? '?'}, in ${nameOf(frame)}`,
        ...(source ? [`    ${source}`] : []),
      ];
    });
    return ['Traceback (most recent call last):', ...lines, head].join('\n');
  }
  const lines = frames.map((frame) => {
    const where = [frame.file ?? frame.module, frame.line, frame.column].filter((part) => part !== undefined && part !== '').join(':');
    return `    at ${nameOf(frame)}${where ? ` (${where})` : ''}`;
  });
  return [head, ...lines].filter(Boolean).join('\n');
}
