// Signing in: with the one-time link that the server printed, or with a password. The link's token stands in the fragment,
// which no server log sees, and is used only after a click: a preview of the link must not use it up.
import { useState } from 'preact/hooks';
import { ApiError, me, send } from '../api/client.ts';
import type { Me } from '../api/types.ts';
import { Ball } from '../parts/Icon.tsx';
import { Paste } from '../parts/Paste.tsx';
import { go, place } from '../state/route.ts';
import { loadMe } from '../state/session.ts';

/** What the fragment holds: a link that signs in, or one with which a password is set. */
function linkInFragment(): { token: string; sets?: 'invite' | 'reset' } {
  const text = location.hash.slice(1);
  const named = new URLSearchParams(text);
  for (const sets of ['invite', 'reset'] as const) {
    const token = named.get(sets);
    if (token) return { token, sets };
  }
  return { token: named.get('token') ?? text };
}

export function SignIn() {
  const [{ token, sets }] = useState(linkInFragment);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | undefined>();
  const signIn = async (body: Record<string, string>) => {
    setBusy(true);
    setError(undefined);
    try {
      const answer = await send<Me>('POST', '/api/v1/session', body);
      if (answer?.csrf) me.value = answer;
      else await loadMe();
      const onward = place.value.path === '/signin' ? '/' : place.value.path + location.search;
      go(onward, { replace: true });
    } catch (failure) {
      setError(failure instanceof ApiError ? failure : undefined);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="signin">
      <Ball class="liv" />
      <h1>{TITLES[sets ?? (token ? 'link' : 'none')]}</h1>
      {sets && error?.code !== 'bad_link' && (
        <NewPassword sets={sets} busy={busy} onSubmit={(password) => void signIn({ link: token, password })} />
      )}
      {token && !sets && !error && (
        <>
          <p class="d2">This link signs you in once, in this browser.</p>
          <button type="button" class="btn p" disabled={busy} onClick={() => void signIn({ link: token })}>
            {busy ? 'Signing in' : 'Sign in'}
          </button>
        </>
      )}
      {error && (
        <p class="err" role="alert">
          {error.message} {error.hint}
        </p>
      )}
      {(!token || (error && (!sets || error.code === 'bad_link'))) && (
        <>
          {!sets && (
            <>
              <p class="d2">On the machine that runs Clew, this prints a link that is good for ten minutes:</p>
              <Paste name="shell" text="clew login-link" />
            </>
          )}
          <PasswordForm busy={busy} onSubmit={(login, password) => void signIn({ login, password })} />
        </>
      )}
    </main>
  );
}

const TITLES = {
  invite: 'You are invited to Clew',
  reset: 'A new password for Clew',
  link: 'Sign in to Clew',
  none: 'You are not signed in',
};

function NewPassword({ sets, busy, onSubmit }: { sets: 'invite' | 'reset'; busy: boolean; onSubmit: (password: string) => void }) {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const good = password.length >= PASSWORD_LEAST && password === again;
  return (
    <form
      class="password first"
      onSubmit={(event) => {
        event.preventDefault();
        if (good) onSubmit(password);
      }}
    >
      <p class="d2">
        {sets === 'invite'
          ? 'Choose a password: with it and the name that you were invited under you sign in from now on.'
          : 'What is open in other browsers ends with it.'}
      </p>
      <label>
        <span class="sm d3">Password</span>
        <input
          class="text"
          type="password"
          autocomplete="new-password"
          required
          minLength={PASSWORD_LEAST}
          value={password}
          onInput={(e) => setPassword(e.currentTarget.value)}
        />
      </label>
      <label>
        <span class="sm d3">Once more</span>
        <input
          class="text"
          type="password"
          autocomplete="new-password"
          required
          value={again}
          onInput={(e) => setAgain(e.currentTarget.value)}
        />
      </label>
      <button type="submit" class="btn p" disabled={busy || !good}>
        {busy ? 'Signing in' : sets === 'invite' ? 'Set the password and sign in' : 'Set it and sign in'}
      </button>
      <p class="sm d3" role="status">
        {password && password.length < PASSWORD_LEAST
          ? `${PASSWORD_LEAST - password.length} more characters: ${PASSWORD_LEAST} at least.`
          : again && password !== again
            ? 'The two are not the same yet.'
            : '12 characters at least; a few words make a good one.'}
      </p>
    </form>
  );
}

const PASSWORD_LEAST = 12;

function PasswordForm({ busy, onSubmit }: { busy: boolean; onSubmit: (login: string, password: string) => void }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  return (
    <form
      class="password"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(login, password);
      }}
    >
      <p class="d2">If you have a password:</p>
      <label>
        <span class="sm d3">User</span>
        <input class="text" autocomplete="username" required value={login} onInput={(e) => setLogin(e.currentTarget.value)} />
      </label>
      <label>
        <span class="sm d3">Password</span>
        <input
          class="text"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(e) => setPassword(e.currentTarget.value)}
        />
      </label>
      <button type="submit" class="btn" disabled={busy || !login || !password}>
        Sign in
      </button>
    </form>
  );
}
