// One trace: what happened in words, where its time went, and the waterfall with everything in place.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, getJson } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { loadSnapshots, type SnapshotLine } from '../api/snapshots.ts';
import type { TraceAnswer } from '../api/types.ts';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { epoch, refresh } from '../state/live.ts';
import { usePage } from '../state/page.ts';
import { may } from '../state/session.ts';
import { buildTrace } from './model.ts';
import { NoTrace } from './NoTrace.tsx';
import { TraceView } from './TraceView.tsx';

export function TracePage({ id }: { id: string }) {
  const short = id.slice(0, 8);
  const known = useMemo(() => new Map<string, SnapshotLine>(), [id]);
  const loaded = useLoad(id, `${id} ${epoch.value}`, async (abort) =>
    withFirstValues(await getJson<TraceAnswer>(`/api/v1/traces/${encodeURIComponent(id)}`, {}, abort), known, abort),
  );
  const answer = loaded.data.value;
  const [correct, setCorrect] = useState(true);
  const model = useMemo(() => answer && buildTrace(answer, { correct }), [answer, correct]);
  usePage({
    here: `Trace ${short}`,
    title: model?.main ? `${model.main.name}, trace ${short}` : `Trace ${short}`,
    tab: 'traces',
    ranged: false,
  });
  useSettle(answer);
  const error = loaded.error.value;
  const late = useLate(!answer && loaded.busy.value);
  if (error && !answer) return error.status === 404 ? <NoTrace id={id} /> : <Failure error={error} retry={loaded.retry} />;
  if (!model || !answer) return late ? <TraceSkeleton /> : null;
  return (
    <TraceView
      key={id}
      model={model}
      answer={answer}
      correct={correct}
      setCorrect={setCorrect}
      problem={error instanceof ApiError ? error : undefined}
    />
  );
}

/** The first values come apart from the trace, for who may read them: each reading is entered in the audit trail, so none is read again. */
async function withFirstValues(answer: TraceAnswer, known: Map<string, SnapshotLine>, abort: AbortSignal): Promise<TraceAnswer> {
  const { snapshots } = answer;
  if (may('values') && snapshots.some((line) => !known.has(line.id))) {
    const times = snapshots.map((line) => Date.parse(line.time));
    const range = { from: new Date(Math.min(...times) - 1).toISOString(), to: new Date(Math.max(...times) + 2).toISOString() };
    const found = await loadSnapshots({ trace: answer.trace, ...range, limit: snapshots.length }, abort).catch((error: unknown) => {
      // The trace is worth more than they are.
      if (error instanceof ApiError) return undefined;
      throw error;
    });
    for (const line of found?.snapshots ?? []) known.set(line.id, line);
  }
  return { ...answer, snapshots: snapshots.map((line) => known.get(line.id) ?? line) };
}

const YOUNG_MS = 30_000;

/** A young trace may still be arriving: it is asked for again until it is complete or no longer young. */
function useSettle(answer: TraceAnswer | undefined): void {
  useEffect(() => {
    if (!answer || answer.complete || answer.spans.length === 0) return; // without spans: again.ts
    const age = Date.now() - Date.parse(answer.time);
    if (age > YOUNG_MS || age < 0) return;
    const timer = setTimeout(refresh, 2000);
    return () => clearTimeout(timer);
  }, [answer]);
}

function TraceSkeleton() {
  return (
    <div aria-busy="true" class="tskel">
      <div class="bar hd">
        <span class="skel" style={{ width: '320px', height: '16px' }} />
      </div>
      <div class="joined" />
      <div class="over" />
      <div class="legend" />
      <div class="wr head" />
      <SkeletonRows rows={12} height="24px" widths={['240px', '60px', '420px']} />
    </div>
  );
}
