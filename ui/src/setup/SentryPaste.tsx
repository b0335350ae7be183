// The lines of one Sentry SDK, and the choice of which.
import { useState } from 'preact/hooks';
import { Paste } from '../parts/Paste.tsx';
import { sentryLines } from './sentry.ts';

export function SentryPaste({ dsn }: { dsn: string }) {
  const all = sentryLines(dsn);
  const [chosen, setChosen] = useState('Python');
  const shown = all.find((one) => one.label === chosen);
  return (
    <>
      <span class="seg scroll sdks" role="group" aria-label="Which SDK">
        {all.map(({ label }) => (
          <button type="button" key={label} aria-pressed={chosen === label} onClick={() => setChosen(label)}>
            {label}
          </button>
        ))}
      </span>
      {shown && <Paste name={shown.name} text={shown.text} />}
    </>
  );
}
