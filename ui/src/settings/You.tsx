// What is the reader's own: password, sessions.
import { useState } from 'preact/hooks';
import { getJson, me, send } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { loadMe } from '../state/session.ts';
import { agentWords } from './agents.ts';
import { Head, Refusal, Rows, useDeed, When } from './common.tsx';
import { roleWords } from './roles.ts';
import type { Session } from './types.ts';

export function You() {
  const list = useLoad('sessions', 'sessions', (abort) => getJson<{ sessions: Session[] }>('/api/v1/me/sessions', {}, abort));
  const deed = useDeed();
  const sessions = list.data.value?.sessions ?? [];
  const end = async (path: string) => {
    if (await deed.run(() => send('DELETE', path, {}))) list.retry();
  };
  const scopes = me.value?.scopes ?? [];
  return (
    <>
      <Head title={me.value?.name ?? 'You'} says={`${roleWords(scopes)}: ${scopes.join(', ')}.`} />
      <Password />
      <div class="sec hl">
        <h2>Sessions</h2>
        <span class="grow">{list.data.value && plural(sessions.length, 'browser')}</span>
        {sessions.length > 1 && (
          <button type="button" class="link" disabled={deed.busy} onClick={() => void end('/api/v1/me/sessions')}>
            End the others
          </button>
        )}
      </div>
      <Refusal error={deed.error} />
      <Rows of={list} rows={2}>
        {() => (
          <table class="tbl">
            <thead>
              <tr>
                <th>Browser</th>
                <th class="wide">Address</th>
                <th>Signed in</th>
                <th class="wide">Last used</th>
                <th class="wide">Ends</th>
                <th>
                  <span class="only-read">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {sessions.map((session) => (
                <tr key={session.id}>
                  <td class="cut" title={session.agent}>
                    {agentWords(session.agent)} {session.current && <span class="pill k">this one</span>}
                  </td>
                  <td class="wide mono">{session.peer ?? <span class="d3">not known</span>}</td>
                  <td>
                    <When at={session.created} />
                  </td>
                  <td class="wide">
                    <When at={session.last_used} />
                  </td>
                  <td class="wide">
                    <When at={session.expires} />
                  </td>
                  <td class="r">
                    {!session.current && (
                      <button
                        type="button"
                        class="btn g s"
                        disabled={deed.busy}
                        onClick={() => void end(`/api/v1/me/sessions/${session.id}`)}
                      >
                        End
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Rows>
    </>
  );
}

const LEAST = 12;

function Password() {
  const has = me.value?.has_password ?? false;
  const [old, setOld] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [done, setDone] = useState(false);
  const deed = useDeed();
  const good = password.length >= LEAST && password === again && (!has || old);
  const field = (label: string, value: string, change: (text: string) => void, complete: string) => (
    <label class="field">
      <span class="sm d3">{label}</span>
      <input class="text" type="password" autocomplete={complete} value={value} onInput={(event) => change(event.currentTarget.value)} />
    </label>
  );
  return (
    <form
      class="set-form hl"
      onSubmit={(event) => {
        event.preventDefault();
        setDone(false);
        void deed
          .run(() => send('POST', '/api/v1/me/password', { password, ...(has && { old }) }))
          .then((ok) => {
            if (!ok) return;
            setDone(true);
            setOld('');
            setPassword('');
            setAgain('');
            void loadMe();
          });
      }}
    >
      <h2 class="m">{has ? 'Change the password' : 'Set a password'}</h2>
      <div class="row wrap">
        {has && field('Present one', old, setOld, 'current-password')}
        {field('New one', password, setPassword, 'new-password')}
        {field('Once more', again, setAgain, 'new-password')}
        <button type="submit" class="btn" disabled={!good || deed.busy}>
          {has ? 'Change it' : 'Set it'}
        </button>
      </div>
      <p class="sm d3" role="status">
        {done
          ? 'It holds from now on; other browsers were signed out.'
          : password && password.length < LEAST
            ? `${LEAST - password.length} more characters: ${LEAST} at least.`
            : again && password !== again
              ? 'The two are not the same yet.'
              : has
                ? 'Other browsers are signed out by it.'
                : 'Without one you sign in with links that the server prints: clew login-link.'}
      </p>
      <Refusal error={deed.error} />
    </form>
  );
}
