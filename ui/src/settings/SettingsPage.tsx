// Settings: who may do what, what is kept, and what this server is. Each section has an address of its own.
import '../styles/settings.css';
import { Cable, CircleUser, Cpu, Database, FolderKey, KeyRound, ScrollText, Server as ServerIcon, Users as UsersIcon } from 'lucide';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { me } from '../api/client.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { usePage } from '../state/page.ts';
import { go } from '../state/route.ts';
import { commit } from '../state/undo.ts';
import { Agents } from './Agents.tsx';
import { Audit } from './Audit.tsx';
import { mayAdminister } from './common.tsx';
import { Project } from './Project.tsx';
import { Projects } from './Projects.tsx';
import { ServerFacts } from './ServerFacts.tsx';
import { StorageFacts } from './StorageFacts.tsx';
import { Tokens } from './Tokens.tsx';
import { Users } from './Users.tsx';
import { You } from './You.tsx';

interface Section {
  id: string;
  label: string;
  says: string;
  icon: typeof Cable;
  body: ComponentType;
  everybody?: true;
}

const SECTIONS: { group: string; sections: Section[] }[] = [
  {
    group: 'Access',
    sections: [
      { id: 'users', label: 'Users', says: 'people, roles, invitations', icon: UsersIcon, body: Users },
      { id: 'tokens', label: 'Tokens', says: 'keys of programs', icon: KeyRound, body: Tokens },
      { id: 'projects', label: 'Projects', says: 'names, public keys', icon: FolderKey, body: Projects },
    ],
  },
  {
    group: 'This server',
    sections: [
      { id: 'agents', label: 'Agents', says: 'hosts to look into', icon: Cpu, body: Agents, everybody: true },
      { id: 'storage', label: 'Storage', says: 'retention, disk', icon: Database, body: StorageFacts },
      { id: 'audit', label: 'Audit', says: 'who did what', icon: ScrollText, body: Audit },
      { id: 'server', label: 'Server', says: 'version, settings, health', icon: ServerIcon, body: ServerFacts },
    ],
  },
  {
    group: 'You',
    sections: [{ id: 'you', label: 'You', says: 'password, sessions', icon: CircleUser, body: You, everybody: true }],
  },
];

export function SettingsPage({ id: where }: { id: string }) {
  // "projects/shop" is one of them.
  const [id = '', one] = where.split('/');
  const admin = mayAdminister();
  const first = admin ? 'users' : 'you';
  const section = SECTIONS.flatMap((group) => group.sections).find((entry) => entry.id === id);
  usePage({
    here: one ?? section?.label ?? 'Settings',
    title: section ? `${one ?? section.label} · Settings` : 'Settings',
    tab: 'settings',
    ranged: false,
  });
  useEffect(() => {
    if (!id) go(`/settings/${first}`, { replace: true });
  }, [id, first]);
  // In a row that scrolls sideways the chosen one is to be seen.
  useEffect(() => document.querySelector('.set-link[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [id]);
  // What waits to be taken back is done when the reader leaves the page.
  useEffect(() => () => commit(false), []);
  const Body = section?.body;
  return (
    <div class="set">
      <nav class="set-nav scroll" aria-label="Settings">
        {SECTIONS.map(({ group, sections }) => {
          const shown = sections.filter((entry) => admin || entry.everybody);
          if (shown.length === 0) return null;
          return (
            <div class="set-group" key={group}>
              <span class="set-group-name xs d3">{group}</span>
              {shown.map((entry) => (
                <Link class="set-link" key={entry.id} href={`/settings/${entry.id}`} aria-current={entry.id === id ? 'page' : undefined}>
                  <Icon icon={entry.icon} size={16} />
                  <span class="grow">
                    <span class="m">{entry.label}</span>
                    <span class="xs d3">{entry.says}</span>
                  </span>
                </Link>
              ))}
            </div>
          );
        })}
        <div class="set-group">
          <span class="set-group-name xs d3">Senders</span>
          <Link class="set-link" href="/setup" follow>
            <Icon icon={Cable} size={16} />
            <span class="grow">
              <span class="m">Connect a service</span>
              <span class="xs d3">lines to paste, live diagnosis</span>
            </span>
          </Link>
        </div>
      </nav>
      <section class="set-body vl scroll" key={where} aria-label={section?.label ?? 'Settings'}>
        {Body && (admin || section.everybody) && (id === 'projects' && one ? <Project slug={one} /> : <Body />)}
        {Body && !admin && !section.everybody && <NotYours />}
        {id && !Body && (
          <div class="say">
            <h1>There is no section of that name</h1>
            <Link class="btn" href={`/settings/${first}`}>
              Go to settings
            </Link>
          </div>
        )}
      </section>
    </div>
  );
}

function NotYours() {
  return (
    <div class="say">
      <h1>This needs the scope admin</h1>
      <p>
        You are {me.value?.name} with {me.value?.scopes?.join(', ') || 'no scopes'}. Who administers this server can give you more:
        Settings, Users.
      </p>
      <Link class="btn" href="/settings/you">
        Go to your own settings
      </Link>
    </div>
  );
}
