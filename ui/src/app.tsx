import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { me } from './api/client.ts';
import { Failure } from './parts/States.tsx';
import { Shell } from './shell/Shell.tsx';
import { SignIn } from './shell/SignIn.tsx';
import { go, path } from './state/route.ts';
import { loadMe, sessionError } from './state/session.ts';

type Page = ComponentType<{ id: string }>;

/** Each page is a file of its own, loaded when it is first wanted. */
const PAGES: [RegExp, () => Promise<Page>][] = [
  [/^\/traces$/, () => import('./traces/TracesPage.tsx').then((module) => module.TracesPage)],
  [/^\/traces\/([^/]+)$/, () => import('./trace/TracePage.tsx').then((module) => module.TracePage)],
  [/^\/logs$/, () => import('./logs/LogsPage.tsx').then((module) => module.LogsPage)],
];
const loaded = new Map<RegExp, Page>();

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
  const entry = PAGES.find(([pattern]) => pattern.test(here));
  const [, redraw] = useState(0);
  useEffect(() => {
    if (here === '/' || here === '/signin') return go('/traces', { replace: true });
    if (!entry || loaded.has(entry[0])) return;
    void entry[1]().then((component) => {
      loaded.set(entry[0], component);
      redraw((n) => n + 1);
    });
  }, [here, entry]);
  const Component = entry && loaded.get(entry[0]);
  const id = entry?.[0].exec(here)?.[1] ?? '';
  return (
    <Shell>
      {Component && <Component id={decodeURIComponent(id)} />}
      {!entry && here !== '/' && here !== '/signin' && <NotHere />}
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
      <a class="btn" href="/traces">
        Go to traces
      </a>
    </div>
  );
}
