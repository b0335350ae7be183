// One snapshot at an address of its own, with the way to its trace, its probe and the other snapshots of it.
import '../styles/snapshots.css';
import { ChevronLeft, ChevronRight } from 'lucide';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { type ApiError, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { type Capture, loadSnapshot, loadSnapshots, type SnapshotLine } from '../api/snapshots.ts';
import { absolute, ago, clock, parseInstant } from '../format/time.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { Failure, SkeletonRows, useLate } from '../parts/States.tsx';
import { term } from '../query/write.ts';
import { useAsks } from '../state/asks.ts';
import { useKeys } from '../state/keys.ts';
import { usePage } from '../state/page.ts';
import { go, href, param, place, setParams } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import { Differing } from './Differing.tsx';
import { differences } from './diff.ts';
import { liveHref, snapshotHref } from './links.ts';
import { neighbours } from './neighbours.ts';
import { SnapshotView } from './SnapshotView.tsx';
import { shortPlace } from './tree.ts';
import { kindText } from './words.ts';

const OTHERS = 200;

export function SnapshotPage({ id }: { id: string }) {
  // The one before stays until the next has come: who walks along the hits sees values, not a page that flickers.
  const one = useLoad(id, id, (abort) => loadSnapshot(id, abort), true);
  const capture = one.data.value;
  const others = useOthers(id, capture);
  usePage({
    here: capture ? shortPlace(capture) : 'Snapshot',
    title: capture ? `Snapshot of ${shortPlace(capture)}` : 'Snapshot',
    tab: 'live',
    ranged: false,
  });
  const late = useLate(!capture && one.busy.value);
  const error = one.error.value;
  if (error && capture?.id !== id) return <NoSnapshot error={error} retry={one.retry} />;
  if (!capture)
    return late ? (
      <div aria-busy="true">
        <div class="snaphead" />
        <SkeletonRows rows={12} height="23px" widths={['120px', '240px', '60px']} />
      </div>
    ) : null;
  return <Shown key={capture.id} capture={capture} others={others} />;
}

interface Others {
  lines: readonly SnapshotLine[];
  older?: SnapshotLine;
  newer?: SnapshotLine;
  to: (line: SnapshotLine | undefined) => void;
}

const around = (capture: Capture) => {
  const at = parseInstant(capture.time).ms;
  return { from: at - 86_400_000, to: at + 86_400_000 };
};

/** The other snapshots of its probe, and the keys that walk along them. A key pressed before they are known is followed once they are. */
function useOthers(id: string, capture: Capture | undefined): Others {
  const probe = capture?.probe ?? '';
  const found = useLoad(probe, `${probe} ${capture?.id}`, async (abort) => {
    if (!capture) return undefined;
    const { from, to } = around(capture);
    const range = { from: new Date(from).toISOString(), to: new Date(Math.min(to, serverNow() + 60_000)).toISOString() };
    return await loadSnapshots({ probe: capture.probe, ...range, limit: OTHERS }, abort);
  });
  const lines = found.data.value?.snapshots;
  const { older, newer } = useMemo(() => neighbours(lines ?? [], id), [lines, id]);
  const wish = useRef<'older' | 'newer' | undefined>(undefined);
  const to = (line: SnapshotLine | undefined) => {
    if (line) go(snapshotHref(line.id), { replace: true, trail: place.value.trail });
  };
  const step = (which: 'older' | 'newer') => {
    if (lines) to({ older, newer }[which]);
    else wish.current = which;
  };
  useEffect(() => {
    if (!lines || !wish.current) return;
    to({ older, newer }[wish.current]);
    wish.current = undefined;
  }, [lines]);
  useKeys('Snapshot', [
    { keys: ['k', '['], does: 'the one before', run: () => step('older') },
    { keys: ['j', ']'], does: 'the next one', run: () => step('newer') },
  ]);
  return { lines: lines ?? [], ...(older && { older }), ...(newer && { newer }), to };
}

function NoSnapshot({ error, retry }: { error: ApiError; retry: () => void }) {
  if (error.status === 403)
    return (
      <div class="say">
        <h1>Captured values are not shown to you</h1>
        <p>
          To read them takes the scope <code>values</code>, which your role or key does not have. Who administers this Clew can give it to
          you under Settings, Users. Where and when it was captured stands in its trace; each reading of values is entered in the audit
          trail.
        </p>
      </div>
    );
  if (error.status === 404)
    return (
      <div class="say">
        <h1>There is no such snapshot any more</h1>
        <p>
          Snapshots are kept for a time of their own (Settings, Storage); older ones are deleted. Or it is of a project that you may not
          read.
        </p>
        <Link class="btn" href="/live">
          Go to live
        </Link>
      </div>
    );
  return <Failure error={error} retry={retry} />;
}

function Shown({ capture, others: { lines, older, newer, to } }: { capture: Capture; others: Others }) {
  const at = parseInstant(capture.time).ms;
  const wanted = param('with');
  // Of the one that is shown, which is not yet the one at the address while that is loading.
  const previous = neighbours(lines, capture.id).older;
  const before = useLoad(previous?.id ?? '', `${previous?.id} ${wanted}`, async (abort) =>
    previous && !wanted ? await loadSnapshot(previous.id, abort) : undefined,
  );
  useAsks([
    {
      what: 'Snapshots of this probe',
      query: `snapshots ${term('probe', capture.probe)}`,
      range: around(capture),
    },
    ...(capture.trace
      ? [{ what: 'Its trace', query: `spans trace=${capture.trace}`, range: { from: at - 3_600_000, to: at + 3_600_000 } }]
      : []),
  ]);
  // The keys at the foot work at once, and after the step to another one.
  const values = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => values.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus(), []);
  return (
    <>
      <div class="snaphead">
        <span class="dia" />
        <h1 class="nw">{kindText(capture.kind)}</h1>
        <span class="mono cut" title={`${capture.file}:${capture.line}`}>
          {shortPlace(capture)}
        </span>
        <span class="d3 nw" title={absolute(at)}>
          {clock(at)}, {ago(at, serverNow())}
        </span>
        <span class="grow wide" />
        <span class="seg s" role="group" aria-label="Of this probe">
          <button type="button" aria-label="The one before" title="The one before (k)" disabled={!older} onClick={() => to(older)}>
            <Icon icon={ChevronLeft} size={14} />
          </button>
          <button type="button" aria-label="The next one" title="The next one (j)" disabled={!newer} onClick={() => to(newer)}>
            <Icon icon={ChevronRight} size={14} />
          </button>
        </span>
        <With lines={lines} id={capture.id} wanted={wanted} />
      </div>
      <JoinedSnapshot capture={capture} />
      {wanted ? (
        <Compared other={wanted} capture={capture} />
      ) : (
        <SnapshotView
          box={values}
          capture={capture}
          before={before.data.value}
          beforeName={previous ? clock(parseInstant(previous.time).ms) : undefined}
        />
      )}
      <Foot
        keys={[
          ['j k', 'next, one before'],
          ['↑ ↓', 'value'],
          ['← →', 'fold'],
          ['y', 'copy path'],
          ['c', 'copy value'],
        ]}
      />
    </>
  );
}

function Compared({ other, capture }: { other: string; capture: Capture }) {
  const load = useLoad(other, other, (abort) => loadSnapshot(other, abort));
  const before = load.data.value;
  const late = useLate(!before && load.busy.value);
  if (load.error.value) return <Failure error={load.error.value} retry={load.retry} />;
  if (!before) return late ? <SkeletonRows rows={4} height="28px" widths={['120px', '90px', '90px']} /> : null;
  return (
    <section class="scroll grow" aria-label="Compared" tabIndex={0}>
      <Differing found={differences(before, capture)} before={before} after={capture} />
    </section>
  );
}

function With({ lines, id, wanted }: { lines: readonly SnapshotLine[]; id: string; wanted: string | undefined }) {
  const others = lines.filter((line) => line.id !== id);
  if (others.length === 0) return null;
  return (
    <label class="row snapwith">
      <span class="sm d3 nw">compare with</span>
      <select
        class="ctl"
        aria-label="Compare with"
        value={wanted ?? ''}
        onChange={(event) => setParams({ with: event.currentTarget.value || undefined }, { replace: true })}
      >
        <option value="">none</option>
        {others.map((line) => (
          <option value={line.id} key={line.id}>
            {clock(parseInstant(line.time).ms)} {line.instance ?? ''}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What this snapshot is tied to. */
function JoinedSnapshot({ capture }: { capture: Capture }) {
  return (
    <nav class="joined scroll" aria-label="Joined to this snapshot" tabIndex={0}>
      <span class="knot here">
        <span class="k" />
        <b>Snapshot</b>
      </span>
      {capture.trace ? (
        <>
          <i />
          <Link class="knot" follow href={href(`/traces/${capture.trace}`, { span: capture.span })}>
            <span class="k" />
            Trace <b>{capture.trace.slice(0, 8)}</b>
          </Link>
        </>
      ) : (
        <>
          <i class="no" />
          <span class="knot none">
            <span class="k" />
            Trace, it ran outside of one
          </span>
        </>
      )}
      {capture.event && (
        <>
          <i />
          <Link class="knot" follow href={`/events/${capture.event}`}>
            <span class="k" />
            Open the issue
          </Link>
        </>
      )}
      <i />
      <Link class="knot" follow href={liveHref({ service: capture.service, probe: capture.probe, file: capture.file, line: capture.line })}>
        <span class="k" />
        Probe <b>{capture.probe}</b>
      </Link>
      {capture.service && (
        <>
          <i />
          <Link class="knot" follow href={liveHref({ service: capture.service })}>
            <span class={`svc h${hueOf(capture.service)}`}>{capture.service}</span> {capture.version && <b>{capture.version}</b>}
          </Link>
        </>
      )}
      {(capture.instance || capture.host) && (
        <>
          <i />
          <span class="knot" title={capture.process && `process ${capture.process}`}>
            <span class="k" />
            {capture.instance ?? capture.process}
            {capture.host && ` on ${capture.host}`}
          </span>
        </>
      )}
      {capture.thread && (
        <>
          <i />
          <span class="knot">
            <span class="k" />
            Thread {capture.thread.name ?? capture.thread.id}
          </span>
        </>
      )}
    </nav>
  );
}
