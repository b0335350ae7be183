// Two traces, or one and many of its kind: what is different in words, then row by row.
import { ApiError, getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { epoch } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { param } from '../state/route.ts';
import type { Comparison } from './answer.ts';
import { CompareView } from './CompareView.tsx';

export function ComparePage() {
  const a = param('a') ?? '';
  const b = param('b');
  const many = param('with') === 'population';
  const from = param('from');
  const to = param('to');
  const subject = [a, b, many, from, to].join(' ');
  const asked = { a, ...(many ? { with: 'population', from: many ? stamp(from) : undefined, to: stamp(to) } : { b }) };
  const loaded = useLoad(
    subject,
    `${subject} ${epoch.value}`,
    async (abort) => (a && (b || many) ? await getJson<Comparison>('/api/v1/compare', asked, abort) : null),
    true,
  );
  const answer = loaded.data.value;
  const name = answer?.a.name ?? a.slice(0, 8);
  usePage({
    here: many ? `${name} and others` : 'Comparison',
    title: many ? `${name} beside others of its kind` : `${name}, two traces compared`,
    tab: 'traces',
    ranged: false,
  });
  const error = loaded.error.value;
  const late = useLate(!answer && loaded.busy.value);
  if (answer === null || !a || !(b || many)) return <Nothing />;
  if (error && (!answer || loaded.stale.value))
    return error instanceof ApiError && error.status === 404 ? <Gone error={error} /> : <Failure error={error} retry={loaded.retry} />;
  if (!answer) return late ? <Skeleton /> : null;
  return <CompareView answer={answer} key={subject} stale={loaded.stale.value} />;
}

/** Links hold epochs in ms, as those of other pages do; people may write what the API takes. */
function stamp(text: string | undefined): string | undefined {
  return text && /^\d{12,}$/.test(text) ? new Date(Number(text)).toISOString() : text;
}

function Nothing() {
  return (
    <div class="say">
      <h1>Choose what to compare</h1>
      <p>
        Mark two traces in the list with <kbd class="kbd">x</kbd> and press <kbd class="kbd">c</kbd>, or open one and choose Compare: with
        the one before, a faster or a failed one, one that you name, or with all others of its kind.
      </p>
      <a class="btn" href="/traces">
        Go to traces
      </a>
    </div>
  );
}

function Gone({ error }: { error: ApiError }) {
  return (
    <div class="say" role="alert">
      <h1>One of the traces is not stored</h1>
      <p>{error.message}. It may be older than the retention, or not have arrived yet.</p>
      <a class="btn" href="/traces">
        Go to traces
      </a>
    </div>
  );
}

function Skeleton() {
  return (
    <div aria-busy="true">
      <div class="bar hd">
        <span class="skel" style={{ width: '420px', height: '16px' }} />
      </div>
      <div class="cmp-say">
        <span class="skel" style={{ width: '520px', height: '16px' }} />
      </div>
      <div class="cmp-sides">
        <span class="skel" style={{ width: '380px', height: '14px' }} />
        <span class="skel" style={{ width: '380px', height: '14px' }} />
      </div>
      <SkeletonRows rows={12} height="32px" widths={['260px', '60px', '60px', '420px']} />
    </div>
  );
}
