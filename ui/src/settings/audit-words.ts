// The audit trail in words: what each kind of entry says, and where what it is about can be looked at. Pure.
import { actorWords } from '../format/actor.ts';
import type { AuditEntry } from './types.ts';

/** By kind, what was done: read after a name ("ada placed a probe"). A test holds this against what the server's source writes. */
export const DEEDS: Record<string, string> = {
  'agent.copied': 'has a key that is in use in two places',
  'agent.enrol': 'enrolled: an agent that may connect',
  'agent.remove': 'removed an agent',
  'agent.second': 'was refused: its key is in use already',
  'agent.token': 'made an enrolment token',
  'agent.token.remove': 'revoked an enrolment token',
  'dsn_key.add': 'made a public key',
  'dsn_key.remove': 'revoked a public key',
  'issue.merge': 'merged issues',
  'issue.unmerge': 'took an issue apart',
  'link.add': 'made a link to come in',
  'probe.add': 'placed a probe',
  'probe.change': 'changed a probe',
  'probe.pause': 'paused a probe',
  'probe.remove': 'removed a probe',
  'probe.resume': 'let a probe go on',
  'project.add': 'made a project',
  'project.filters': 'changed inbound filters',
  'project.grouping': 'changed grouping rules',
  'project.mapping.add': 'added code mappings',
  'project.mapping.change': 'changed a code mapping',
  'project.mapping.remove': 'took a code mapping away',
  'project.owners': 'changed owner rules',
  'project.rename': 'renamed a project',
  'project.repo.add': 'added a repository',
  'project.repo.remove': 'took a repository away',
  'project.scrub': 'changed scrub rules',
  'release.remove': 'removed a release',
  'session.end': 'ended sessions',
  'session.start': 'signed in',
  'token.add': 'made a token',
  'token.remove': 'revoked a token',
  'user.add': 'added a user',
  'user.disable': 'disabled a user',
  'user.enable': 'enabled a user',
  'user.password': 'set a password',
  'user.remove': 'removed a user',
  'user.scopes': 'changed what a user may do',
  'values.read': 'read captured values',
  'workspace.create': 'made the workspace',
};

export interface Worded {
  who: string;
  /** Of a kind that this page does not know: the kind itself. */
  did: string;
  /** To whom or what. */
  what: string;
  href?: string;
  detail: string;
}

/** A member of a probe's JSON, which an entry holds cut to its length. */
function member(json: string, name: string): string | undefined {
  const found = new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*"|\\d+)`).exec(json)?.[1];
  if (found === undefined) return undefined;
  try {
    return String(JSON.parse(found));
  } catch {
    return undefined;
  }
}

/** `checkout orders.py:42, if order.total > 100`; what is no probe's JSON stays as it is. */
export function probeWords(detail: string): string {
  if (!detail.startsWith('{')) return detail;
  const at = (name: string) => member(detail, name);
  const file = at('file');
  const fn = at('function');
  const exception = at('exception');
  const line = at('line');
  const where = file && line ? `${file}:${line}` : fn ? `${fn}()` : exception ? `exception ${exception}` : file;
  const kind = at('kind');
  const condition = at('if');
  const parts = [
    [at('service'), where].filter(Boolean).join(' '),
    ...(kind && kind !== 'snapshot' ? [kind] : []),
    ...(at('environment') ? [at('environment')] : []),
    ...(condition ? [`if ${condition}`] : []),
  ];
  return parts.filter(Boolean).join(', ') || detail;
}

function probeHref(entry: AuditEntry): string {
  const params = new URLSearchParams();
  for (const name of ['service', 'file', 'line']) {
    const value = member(entry.detail, name);
    if (value) params.set(name, value);
  }
  params.set('probe', entry.target);
  return `/live?${params}`;
}

/** What was read, and where it can be read again: which is entered again. */
function read(entry: AuditEntry): Pick<Worded, 'what' | 'href' | 'detail'> {
  const { target, detail } = entry;
  const event = /^event ([0-9a-f]{32})$/.exec(target)?.[1];
  if (event) return { what: `of event ${event.slice(0, 8)}`, href: `/events/${event}`, detail };
  if (target === 'snapshot')
    return { what: `of snapshot ${detail.slice(0, 8)}`, href: `/snapshots/${encodeURIComponent(detail)}`, detail: '' };
  const q = encodeURIComponent(detail);
  const page = /^\s*logs\b/.test(detail) ? `/logs?q=${q}` : /^\s*spans\b/.test(detail) ? `/traces?q=${q}` : undefined;
  const what = { query: 'by a query', tail: 'as they came', snapshots: 'in a list of snapshots' }[target] ?? target;
  return { what, ...(page && { href: page }), detail };
}

function about(entry: AuditEntry): Pick<Worded, 'what' | 'detail'> & { href?: string | undefined } {
  const { action, target, detail } = entry;
  const [kind] = action.split('.');
  if (action === 'values.read') return read(entry);
  if (kind === 'probe') {
    return { what: target, href: action === 'probe.remove' ? undefined : probeHref(entry), detail: probeWords(detail) };
  }
  if (kind === 'agent') {
    const host = action === 'agent.remove' ? detail : target;
    return { what: host, href: '/settings/agents', detail: action === 'agent.remove' ? target : detail };
  }
  if (kind === 'issue') return { what: target, href: `/issues/${target.replace(/^issue /, '')}`, detail };
  if (kind === 'project' || kind === 'dsn_key') {
    const now = action === 'project.rename' ? /^now (.+)$/.exec(detail)?.[1] : target;
    return { what: target, href: now ? `/settings/projects/${encodeURIComponent(now)}` : undefined, detail };
  }
  if (kind === 'user' || kind === 'link') return { what: target, href: action === 'user.remove' ? undefined : '/settings/users', detail };
  if (kind === 'token') return { what: target, href: '/settings/tokens', detail };
  return { what: target, detail };
}

export function worded(entry: AuditEntry): Worded {
  const { href, ...rest } = about(entry);
  return { who: actorWords(entry.actor), did: DEEDS[entry.action] ?? entry.action, ...rest, ...(href && { href }) };
}
