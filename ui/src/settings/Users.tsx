// People: who there is, what each may do, invitations.
import { Ellipsis, UserPlus } from 'lucide';
import { useState } from 'preact/hooks';
import { getJson, me, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { absolute, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Popover } from '../parts/Popover.tsx';
import { Head, isAway, Once, Refusal, Rows, ScopeChoice, takeAway, useDeed, When } from './common.tsx';
import { Form, TextField } from './Form.tsx';
import { mayHandOut, ROLES, roleOf, roleWords, SCOPES } from './roles.ts';
import type { User, UserLink } from './types.ts';

const at = (login: string) => `/api/v1/users/${encodeURIComponent(login)}`;

export function Users() {
  const list = useLoad('users', 'users', (abort) => getJson<{ users: User[] }>('/api/v1/users', {}, abort));
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<UserLink | undefined>();
  const [editing, setEditing] = useState<string | undefined>();
  const deed = useDeed();
  const change = async (run: () => Promise<unknown>) => {
    if (await deed.run(run)) list.retry();
  };
  const users = (list.data.value?.users ?? []).filter((user) => !isAway(at(user.login)));
  return (
    <>
      <Head title="Users" says={list.data.value && summary(users)}>
        <button type="button" class="btn p" aria-expanded={inviting} onClick={() => setInviting(!inviting)}>
          <Icon icon={UserPlus} size={14} />
          Invite
        </button>
      </Head>
      {inviting && (
        <Invite
          done={(made) => {
            setLink(made);
            setInviting(false);
            list.retry();
          }}
          close={() => setInviting(false)}
        />
      )}
      {link && <Link made={link} />}
      <Refusal error={deed.error} />
      <Rows of={list} rows={4}>
        {() => (
          <table class="tbl">
            <thead>
              <tr>
                <th>User</th>
                <th>Role</th>
                <th class="wide">State</th>
                <th class="r wide">Sessions</th>
                <th class="wide">Last used</th>
                <th>
                  <span class="only-read">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.map((user) => (
                <Row
                  key={user.login}
                  user={user}
                  editing={editing === user.login}
                  edit={(on) => setEditing(on ? user.login : undefined)}
                  change={change}
                  setLink={setLink}
                  retry={list.retry}
                  fail={deed.run}
                />
              ))}
            </tbody>
          </table>
        )}
      </Rows>
    </>
  );
}

function summary(users: User[]): string {
  const invited = users.filter((user) => user.state === 'invited').length;
  const disabled = users.filter((user) => user.state === 'disabled').length;
  const admins = users.filter((user) => user.scopes.includes('admin') && user.state === 'active').length;
  const parts = [
    plural(users.length - invited, 'person', 'people'),
    ...(invited ? [`${plural(invited, 'invitation')} not used yet`] : []),
    ...(disabled ? [`${disabled} disabled`] : []),
    `${admins} may administer`,
  ];
  return `${parts.join(', ')}.`;
}

function Link({ made }: { made: UserLink }) {
  const until = absolute(parseInstant(made.link_expires).ms).split(',')[0];
  return (
    <Once name={`for ${made.login}`} text={made.link}>
      {made.link.includes('#invite=')
        ? `The invitation of ${made.login}: it works once, until ${until}, and is shown this once. Send it where only they read.`
        : `With this link ${made.login} sets a new password: once, until ${until}. What they have open ends when they use it.`}
    </Once>
  );
}

interface RowProps {
  user: User;
  editing: boolean;
  edit: (on: boolean) => void;
  change: (run: () => Promise<unknown>) => Promise<void>;
  setLink: (link: UserLink | undefined) => void;
  retry: () => void;
  fail: (run: () => Promise<unknown>) => Promise<boolean>;
}

function Row({ user, editing, edit, change, setLink, retry, fail }: RowProps) {
  const own = user.login === me.value?.name;
  const within = mayHandOut(me.value?.scopes, user.scopes);
  const remove = () => takeAway(at(user.login), `${user.login} is removed`, fail, retry);
  const newLink = () => change(async () => setLink(await send<UserLink>('POST', `${at(user.login)}/link`, {})));
  return (
    <>
      <tr class={user.state === 'disabled' ? 'off' : ''}>
        <td>
          <span class="who">
            <span class="av" aria-hidden="true">
              {user.login.slice(0, 2)}
            </span>
            <span class="cut">
              {user.login}
              {own && <span class="d3"> you</span>}
              <span class="narrow sm d3 sub">{user.state}</span>
            </span>
          </span>
        </td>
        <td class="cut" title={user.scopes.join(', ')}>
          {roleWords(user.scopes)}
        </td>
        <td class="wide">
          <State user={user} />
        </td>
        <td class="r wide">{user.sessions || <span class="d3">0</span>}</td>
        <td class="wide">
          <When at={user.last_used} />
        </td>
        <td class="r">
          <Popover class="btn g s i" title={`What can be done with ${user.login}`} label={<Icon icon={Ellipsis} size={14} />}>
            {(close) => {
              const item = (label: string, run: () => unknown, off?: boolean) => (
                <button
                  type="button"
                  class="item"
                  disabled={off || !within}
                  onClick={() => {
                    close();
                    run();
                  }}
                >
                  {label}
                </button>
              );
              return (
                <>
                  {!within && <p class="tip sm d3">has scopes that you do not have</p>}
                  {item('Change the role', () => edit(true))}
                  {item(
                    user.state === 'invited' ? 'New invitation' : 'Link for a new password',
                    () => void newLink(),
                    user.state === 'disabled',
                  )}
                  {item('End sessions', () => void change(() => send('DELETE', `${at(user.login)}/sessions`, {})), user.sessions === 0)}
                  {item(
                    user.state === 'disabled' ? 'Enable' : 'Disable',
                    () => void change(() => send('PATCH', at(user.login), { disabled: user.state !== 'disabled' })),
                  )}
                  {item('Remove', remove)}
                </>
              );
            }}
          </Popover>
        </td>
      </tr>
      {editing && (
        <tr class="editor">
          <td colSpan={6}>
            <RoleEditor
              scopes={user.scopes}
              verb="Change"
              close={() => edit(false)}
              save={(scopes) => {
                edit(false);
                void change(() => send('PATCH', at(user.login), { scopes }));
              }}
            />
          </td>
        </tr>
      )}
    </>
  );
}

function State({ user }: { user: User }) {
  if (user.state === 'disabled') return <span class="pill">disabled</span>;
  if (user.state === 'active') return <span class="d2">active</span>;
  return (
    <span>
      <span class="pill w">invited</span>{' '}
      <span class="sm d3">
        {user.link_expires ? (
          <>
            link ends <When at={user.link_expires} />
          </>
        ) : (
          'the link has ended'
        )}
      </span>
    </span>
  );
}

interface EditorProps {
  scopes: string[];
  verb: string;
  save: (scopes: string[]) => void;
  close: () => void;
}

function RoleEditor({ scopes, verb, save, close }: EditorProps) {
  const [chosen, setChosen] = useState(scopes);
  return (
    <form
      class="set-form"
      onSubmit={(event) => {
        event.preventDefault();
        save(chosen);
      }}
    >
      <Roles chosen={chosen} change={setChosen} />
      <div class="row">
        <button type="submit" class="btn" disabled={chosen.length === 0}>
          {verb}
        </button>
        <button type="button" class="btn g" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Roles({ chosen, change }: { chosen: string[]; change: (scopes: string[]) => void }) {
  const [custom, setCustom] = useState(roleOf(chosen) === 'Custom');
  const role = custom ? 'Custom' : roleOf(chosen);
  return (
    <>
      <div class="row wrap">
        <span class="seg scroll" role="group" aria-label="Role">
          {ROLES.map((entry) => (
            <button
              type="button"
              key={entry.name}
              aria-pressed={role === entry.name}
              disabled={!mayHandOut(me.value?.scopes, entry.scopes)}
              onClick={() => {
                setCustom(false);
                change(entry.scopes);
              }}
            >
              {entry.name}
            </button>
          ))}
          <button type="button" aria-pressed={role === 'Custom'} onClick={() => setCustom(true)}>
            Custom
          </button>
        </span>
        <span class="sm d3">{ROLES.find((entry) => entry.name === role)?.says ?? 'may do what is checked'}</span>
      </div>
      {custom && <ScopeChoice chosen={chosen} change={change} scopes={SCOPES} />}
    </>
  );
}

function Invite({ done, close }: { done: (made: UserLink) => void; close: () => void }) {
  const [login, setLogin] = useState('');
  const [scopes, setScopes] = useState(['read']);
  return (
    <Form
      class="hl"
      verb="Make an invitation"
      ready={login.trim() !== '' && scopes.length > 0}
      save={async () => {
        const made = await send<UserLink>('POST', '/api/v1/users', { login: login.trim(), scopes });
        if (made) done(made);
      }}
      close={close}
      note="Clew sends no mail: you get a link to pass on."
    >
      <TextField label="Name or mail address" most={63} first value={login} change={setLogin} />
      <Roles chosen={scopes} change={setScopes} />
    </Form>
  );
}
