// What stands where rows would be: loading, nothing, or an error with what, why and Retry.
import { useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';

export function Failure({ error, retry }: { error: ApiError; retry: () => void }) {
  return (
    <div class="say" role="alert">
      <h2 class="err">{error.message}</h2>
      {error.hint && <p>{error.hint}</p>}
      <div class="row">
        <button type="button" class="btn" onClick={retry}>
          Retry
        </button>
        <span class="sm d3 mono">
          {error.code}
          {error.status ? ` (${error.status})` : ''}
        </span>
      </div>
    </div>
  );
}

interface StaleNoteProps {
  error: { message: string; hint?: string | undefined };
  retry: () => void;
  /** What follows from it for what is shown. */
  so?: string;
}

/** Above what was loaded before a request failed. */
export function StaleNote({ error, retry, so = 'What you see is from before.' }: StaleNoteProps) {
  return (
    <p class="note sm" role="status">
      <b>{error.message}</b> {error.hint} {so}{' '}
      <button type="button" class="link" onClick={retry}>
        Retry
      </button>
    </p>
  );
}

/** True after 150 ms: what answers faster shows no skeleton. */
export function useLate(waiting: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!waiting) return;
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, [waiting]);
  return waiting && late;
}

/** Rows of the final height. */
export function SkeletonRows({ rows, height, widths }: { rows: number; height: string; widths: string[] }) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        <div class="skel-row" key={row} style={{ height }}>
          {widths.map((width, column) => (
            <span class="skel" key={column} style={{ width, opacity: 1 - row / (rows + 2) }} />
          ))}
        </div>
      ))}
    </div>
  );
}
