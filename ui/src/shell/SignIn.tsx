// Signing in: with the one-time link that the server printed, or with a password. The link's token stands in the fragment,
// which no server log sees, and is used only after a click: a preview of the link must not use it up.
import { useState } from 'preact/hooks';
import { ApiError, me, send } from '../api/client.ts';
import type { Me } from '../api/types.ts';
import { Ball } from '../parts/Icon.tsx';
import { Paste } from '../parts/Paste.tsx';
import { go, place } from '../state/route.ts';
import { loadMe } from '../state/session.ts';

function tokenInFragment(): string {
  const text = location.hash.slice(1);
  return new URLSearchParams(text).get('token') ?? text;
}

export function SignIn() {
  const [token] = useState(tokenInFragment);
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
      <h1>{token ? 'Sign in to Clew' : 'You are not signed in'}</h1>
      {token && !error && (
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
      {(!token || error) && (
        <>
          <p class="d2">On the machine that runs Clew, this prints a link that is good for ten minutes:</p>
          <Paste name="shell" text="clew login-link" />
          <PasswordForm busy={busy} onSubmit={(login, password) => void signIn({ login, password })} />
        </>
      )}
    </main>
  );
}

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
      <p class="d2">Or, if you have a password:</p>
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
