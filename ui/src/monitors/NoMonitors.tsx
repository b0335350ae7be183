// No job checks in yet: the lines that make one.
import { useState } from 'preact/hooks';
import { me } from '../api/client.ts';
import { Paste } from '../parts/Paste.tsx';
import { linesOf } from './snippets.ts';
import { doorOf } from './words.ts';

export function NoMonitors({ add }: { add: () => void }) {
  return (
    <div class="say scroll">
      <h2>No job checks in yet</h2>
      <p>
        A job says when it begins and how it ended; Clew says when it did not run, ran too long or failed, and makes an issue of it. The
        first check-in with a schedule makes its monitor.
      </p>
      <Snippets slug="nightly-report" />
      <div class="row">
        <button type="button" class="btn" onClick={add}>
          Add a monitor by hand
        </button>
        <span class="sm d3">With limits of your own, before the job says any.</span>
      </div>
    </div>
  );
}

export function Snippets({ slug }: { slug: string }) {
  const dsn = me.value?.dsn;
  const [kind, setKind] = useState('python');
  if (!dsn) return <Paste name="shell, on the server: prints the DSN of a project" text="clew project dsn default" />;
  const all = linesOf(dsn, doorOf(dsn), slug);
  const shown = all.find((one) => one.id === kind) ?? all[0];
  return (
    <>
      <span class="seg" role="group" aria-label="How the job checks in">
        {all.map((one) => (
          <button type="button" key={one.id} aria-pressed={one === shown} onClick={() => setKind(one.id)}>
            {one.label}
          </button>
        ))}
      </span>
      {shown && <Paste name={shown.name} text={shown.text} />}
    </>
  );
}
