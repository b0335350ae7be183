import { useEffect, useState } from 'preact/hooks';
import { inFlight, me } from './api/client.ts';
import { type Page, type PageEntry, pageAt } from './pages.ts';
import { Failure } from './parts/States.tsx';
import { Shell } from './shell/Shell.tsx';
import { SignIn } from './shell/SignIn.tsx';
import { go, path } from './state/route.ts';
import { loadMe, sessionError } from './state/session.ts';

const loaded = new Map<PageEntry, Page>();

export function App() {
  useEffect(() => void loadMe(), []);
  if (sessionError.value && !me.value) {
    return (
      <main class="signin">
        <Failure error={sessionError.value} retry={() => void loadMe()} />
      </main>
    );
  }
  if (me.value === undefined) return null;
  if (me.value === null) return <SignIn />;
  return <Routed />;
}

function Routed() {
  const here = path.value;
  const entry = pageAt(here);
  const [, redraw] = useState(0);
  const elsewhere = here === '/signin';
  useEffect(() => {
    if (elsewhere) return go('/', { replace: true });
    if (!entry || loaded.has(entry)) return;
    inFlight.value++;
    void entry
      .load()
      .then((component) => {
        loaded.set(entry, component);
        redraw((n) => n + 1);
      })
      .finally(() => inFlight.value--);
  }, [here, entry]);
  const Component = entry && loaded.get(entry);
  const id = entry?.at.exec(here)?.[1] ?? '';
  return (
    <Shell>
      {Component && <Component id={decodeURIComponent(id)} />}
      {!entry && !elsewhere && <NotHere />}
    </Shell>
  );
}

function NotHere() {
  return (
    <div class="say">
      <h1>There is no page at this address</h1>
      <p>
        <code>{path.value}</code> is not one of Clew's.
      </p>
      <a class="btn" href="/">
        Go home
      </a>
    </div>
  );
}
