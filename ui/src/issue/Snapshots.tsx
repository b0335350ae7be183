// What probes have captured with this event, in place: in its trace, or as it was raised by the probe that waited for it.
import '../styles/snapshots.css';
import { ChevronDown, ChevronRight } from 'lucide';
import { createContext } from 'preact';
import { useContext, useMemo, useState } from 'preact/hooks';
import { type ApiError, me } from '../api/client.ts';
import type { Frame, IssueEvent } from '../api/event.ts';
import { useLoad } from '../api/load.ts';
import { type Capture, loadSnapshot, type SnapshotLine } from '../api/snapshots.ts';
import { plural } from '../format/number.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows, useLate } from '../parts/States.tsx';
import { snapshotHref } from '../snapshots/links.ts';
import { SnapshotView } from '../snapshots/SnapshotView.tsx';
import { Tree } from '../snapshots/Tree.tsx';
import { shortPlace } from '../snapshots/tree.ts';
import { kindText } from '../snapshots/words.ts';
import { hueOf } from '../state/services.ts';
import { type Arming, useArming } from './arming.ts';
import { capturesOf, closestOf, framesOf } from './capture.ts';
import { exceptionsOf } from './frames.ts';

export interface Capturing {
  arming: Arming | undefined;
  lines: SnapshotLine[];
  /** The one that shows the event's own locals. */
  closest: SnapshotLine | undefined;
  capture: Capture | undefined;
  error: ApiError | undefined;
  frames: ReadonlyMap<Frame, number>;
  mayRead: boolean;
}

const Shared = createContext<Capturing | undefined>(undefined);
export const CapturingOf = Shared.Provider;
export const useCapturing = () => useContext(Shared);

export function useCaptures(event: IssueEvent, came: () => void): Capturing {
  const arming = useArming(event, came);
  const mayRead = me.value?.scopes?.includes('values') ?? false;
  const lines = capturesOf(event, arming?.hits ?? []);
  const closest = closestOf(event, lines);
  const id = mayRead ? (closest?.id ?? '') : '';
  const load = useLoad(id, id, (abort) => (id ? loadSnapshot(id, abort) : Promise.resolve(undefined)));
  const capture = load.data.value;
  const frames = useMemo(() => (capture ? framesOf(exceptionsOf(event)[0], capture) : new Map<Frame, number>()), [capture, event]);
  return { arming, lines, closest, capture, error: load.error.value, frames, mayRead };
}

/** Beside the source of a frame: its variables as a probe has taken them. */
export function CapturedLocals({ frame, trace }: { frame: Frame; trace: string | undefined }) {
  const { capture, frames } = useCapturing() ?? {};
  const at = frames?.get(frame);
  if (!capture || at === undefined) return null;
  const { ms } = parseInstant(capture.time);
  return (
    <div class="capl">
      <div class="lh">
        <span class="dia" aria-hidden="true" />
        <span class="th grow">
          {capture.event || (capture.trace && capture.trace === trace) ? 'As captured' : 'Captured at that time, in no trace'}
        </span>
        <Link class="xs" href={snapshotHref(capture.id)} follow title={absolute(ms)}>
          by a probe, {clock(ms)}
        </Link>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label={`Captured in ${frame.function ?? 'the frame'}`}>
        <Tree capture={capture} frame={at} find="" chosen={() => undefined} />
      </div>
    </div>
  );
}

const AT_ONCE = 8;

export function Snapshots({ event, trace }: { event: IssueEvent; trace: string | undefined }) {
  const { lines, arming, mayRead } = useCapturing() as Capturing;
  const [all, setAll] = useState(false);
  const others = (arming?.hits ?? []).filter((hit) => !lines.some(({ id }) => id === hit.id));
  if (lines.length === 0 && others.length === 0) return null;
  const made = lines.some((line) => line.event === event.event_id) && !event.snapshots?.some(({ id }) => id === event.event_id);
  const inTrace = event.snapshots?.length ?? 0;
  const beside = lines.length - inTrace - (made ? 1 : 0);
  const said = [
    made && 'the one that this event was made of',
    inTrace > 0 && `${inTrace} in its trace`,
    beside > 0 && `${beside} captured by this probe at its time`,
    others.length > 0 && `${others.length} of other runs`,
  ].filter(Boolean);
  const rows = [...lines, ...others];
  return (
    <section class="hl snaps" aria-label="Snapshots" id="snapshots">
      <div class="sec">
        <h2>Snapshots</h2>
        <span class="grow cut">{said.join(', ')}</span>
      </div>
      {!mayRead && <p class="hint why">values were captured; to read them takes the scope values, which you do not have</p>}
      <ul>
        {rows.slice(0, all ? undefined : AT_ONCE).map((line) => (
          <Row
            key={line.id}
            line={line}
            mayRead={mayRead}
            note={
              line.event === event.event_id
                ? 'this event'
                : lines.includes(line)
                  ? line.trace && line.trace === trace
                    ? undefined
                    : 'at its time'
                  : 'another run'
            }
          />
        ))}
      </ul>
      {rows.length > AT_ONCE && !all && (
        <button type="button" class="link more2" onClick={() => setAll(true)}>
          {plural(rows.length - AT_ONCE, 'more snapshot')}
        </button>
      )}
    </section>
  );
}

function Row({ line, mayRead, note }: { line: SnapshotLine; mayRead: boolean; note: string | undefined }) {
  const [open, setOpen] = useState(false);
  const { ms } = parseInstant(line.time);
  const values = Object.entries(line.columns ?? {}).slice(0, 3);
  const inside = (
    <>
      {mayRead && <Icon icon={open ? ChevronDown : ChevronRight} size={14} />}
      <span class="dia" aria-hidden="true" />
      <span class="mono d3 nw" title={absolute(ms)}>
        {clock(ms)}
      </span>
      <span class="mono nw cut">{line.function ?? kindText(line.kind)}</span>
      <span class="mono d3 nw cut opt">{shortPlace(line)}</span>
      {line.service && <span class={`svc h${hueOf(line.service)} cut opt`}>{line.service}</span>}
      <span class="grow cut code">
        {values.map(([name, value]) => (
          <span key={name}>
            <span class="d3">{name} = </span>
            {value}{' '}
          </span>
        ))}
      </span>
      {note && <span class="pill nw">{note}</span>}
    </>
  );
  return (
    <li>
      <div class="fr snr">
        {mayRead ? (
          <button type="button" class="frb" aria-expanded={open} onClick={() => setOpen(!open)}>
            {inside}
          </button>
        ) : (
          <span class="frb">{inside}</span>
        )}
        {mayRead && (
          <Link class="sm" href={snapshotHref(line.id)} follow>
            Open
          </Link>
        )}
      </div>
      {open && <Whole id={line.id} />}
    </li>
  );
}

function Whole({ id }: { id: string }) {
  const load = useLoad(id, id, (abort) => loadSnapshot(id, abort));
  const capture = load.data.value;
  const error = load.error.value;
  const late = useLate(!capture && load.busy.value);
  if (error && !capture)
    return (
      <p class="hint sm" role="alert">
        <span class="err">{error.message}</span> {error.hint}{' '}
        <button type="button" class="link" onClick={load.retry}>
          Retry
        </button>
      </p>
    );
  return (
    <div class="snapin1">
      {capture ? <SnapshotView capture={capture} /> : late && <SkeletonRows rows={8} height="23px" widths={['90px', '140px', '50px']} />}
    </div>
  );
}
