// What a probe has captured in this trace: whole, beside the waterfall; and those of one span, in its panel.
import { Crosshair, ExternalLink } from 'lucide';
import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { useLoad } from '../api/load.ts';
import { loadSnapshot, type SnapshotLine } from '../api/snapshots.ts';
import { duration, plural } from '../format/number.ts';
import { absolute, clock, parseInstant } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows, useLate } from '../parts/States.tsx';
import { FromProbe } from '../snapshots/FromProbe.tsx';
import { liveHref, snapshotHref } from '../snapshots/links.ts';
import { SnapshotView } from '../snapshots/SnapshotView.tsx';
import { hueOf } from '../state/services.ts';
import { may } from '../state/session.ts';
import { firstValues, placeText, strayText } from './captured.ts';
import type { LogNode, SnapshotNode, SpanNode } from './model.ts';
import { type Common, Fact, Header } from './PanelParts.tsx';

interface Props extends Common {
  snapshot: SnapshotNode;
  open: (span: SpanNode) => void;
}

export function SnapshotPanel({ snapshot, close, open }: Props) {
  const { row, parent } = snapshot;
  const { ms } = parseInstant(row.time);
  const stray = strayText(snapshot);
  return (
    <>
      <div class="ph">
        <Header close={close}>
          <span class="grow cut" title={`${row.file ?? ''}:${row.line ?? ''}`}>
            <span class={`svc h${hueOf(snapshot.service)} m`}>{snapshot.service}</span>&ensp;
            <b class="liv">Snapshot</b> <span class="mono">{placeText(row)}</span>
          </span>
        </Header>
        <dl class="st4">
          <Fact name="Captured at" title={absolute(ms)}>
            {duration(snapshot.start)}
          </Fact>
          <Fact name="Clock">{clock(ms)}</Fact>
          <Fact name="In">
            {parent?.type === 'span' ? (
              <button type="button" class="link cut inspan" onClick={() => open(parent)}>
                {parent.name}
              </button>
            ) : (
              <span class="why">no span of these</span>
            )}
          </Fact>
        </dl>
        <div class="row pacts">
          <OpenAlone row={row} />
          <Link class="btn s" follow href={liveHref(row)}>
            <Icon icon={Crosshair} size={14} />
            Its probe {row.probe}
          </Link>
        </div>
      </div>
      {stray && (
        <p class="note sm">
          It stands at the root: {stray}
          {row.span
            ? '. The span may still be running or on its way; then it moves under it. Or it was not exported.'
            : ', only the trace: the line ran outside of one.'}
        </p>
      )}
      <Captured row={row} />
    </>
  );
}

function OpenAlone({ row }: { row: SnapshotLine }) {
  return (
    <Link class="btn s" follow href={snapshotHref(row.id)}>
      <Icon icon={ExternalLink} size={14} />
      Open alone
    </Link>
  );
}

/** What it holds, for who may read that. */
function Captured({ row }: { row: SnapshotLine }) {
  return may('values') ? <Values id={row.id} /> : <NotShown row={row} />;
}

function NotShown({ row }: { row: SnapshotLine }) {
  return (
    <div class="explain">
      <p>
        Captured in <code>{row.function ?? 'a function without a name'}</code>, {row.file}:{row.line}
        {row.instance && `, by ${row.instance}`}.
      </p>
      <p>
        <b>Its values are not shown to you.</b> To read them takes the scope <code>values</code>, which your role or key does not have. Who
        administers this Clew can give it to you.
      </p>
    </div>
  );
}

function Values({ id }: { id: string }) {
  const load = useLoad(id, id, (abort) => loadSnapshot(id, abort));
  const capture = load.data.value;
  const error = load.error.value;
  const late = useLate(!capture && load.busy.value);
  if (capture) return <SnapshotView key={id} capture={capture} />;
  if (error)
    return (
      <p class="explain" role="alert">
        <span class="err">{error.message}</span> {error.hint}{' '}
        <button type="button" class="link" onClick={load.retry}>
          Retry
        </button>
      </p>
    );
  return late ? <SkeletonRows rows={10} height="23px" widths={['90px', '140px', '50px']} /> : null;
}

interface OfSpanProps {
  snapshots: readonly SnapshotNode[];
  /** Lines of logpoints. */
  lines: readonly LogNode[];
  select: (node: LogNode) => void;
}

/** Of one span: the chosen one whole, and what logpoints have written. */
export function SpanCaptures({ snapshots, lines, select }: OfSpanProps) {
  const [wanted, setWanted] = useState<string>();
  const chosen = snapshots.find((one) => one.row.id === wanted) ?? snapshots[0];
  return (
    <>
      {lines.map((line) => (
        <ProbeLine line={line} select={select} key={`${line.row.time} ${line.text}`} />
      ))}
      {snapshots.length > 1 && (
        <div class="capts" role="group" aria-label={plural(snapshots.length, 'snapshot')}>
          {snapshots.map((one) => (
            <CaptureButton key={one.row.id} one={one} pressed={one === chosen} choose={() => setWanted(one.row.id)} />
          ))}
        </div>
      )}
      {chosen && (
        <>
          <div class="sec capthead">
            <span class="dia" aria-hidden="true" />
            <h2>{placeText(chosen.row)}</h2>
            <span class="grow d3">at {duration(chosen.start)}</span>
            <Link follow href={snapshotHref(chosen.row.id)}>
              open alone
            </Link>
          </div>
          <Captured row={chosen.row} />
        </>
      )}
    </>
  );
}

function ProbeLine({ line, select }: { line: LogNode; select: (node: LogNode) => void }) {
  return (
    <div class="probeline">
      <button type="button" class="logline" onClick={() => select(line)}>
        <span class="mono d3">{clock(parseInstant(line.row.time).ms)}</span>
        <span class={`lv ${line.level}`}>{line.level || 'log'}</span>
        <span class="mono wrap">{line.text}</span>
      </button>
      <FromProbe row={line.row} />
    </div>
  );
}

function CaptureButton({ one, pressed, choose }: { one: SnapshotNode; pressed: boolean; choose: () => void }) {
  return (
    <button type="button" class="capt" aria-pressed={pressed} onClick={choose}>
      <span class={`dia ${pressed ? '' : 'h'}`} aria-hidden="true" />
      <span class="mono nw">{placeText(one.row)}</span>
      <span class="d3 sm nw">at {duration(one.start)}</span>
      <span class="mono cut grow">
        {firstValues(one.row, 3)
          .map(([name, value]) => `${name} = ${value}`)
          .join('  ')}
      </span>
    </button>
  );
}

/** The first values among the facts of a span; all of them are one click away. */
export function FirstCapture({ one, more, open }: { one: SnapshotNode; more: number; open: () => void }) {
  const values = firstValues(one.row, 5);
  return (
    <button type="button" class="snp" onClick={open}>
      <span class="row">
        <span class="dia" aria-hidden="true" />
        <b class="liv">Snapshot</b>
        <span class="sm d2 cut">
          {placeText(one.row)}, at {duration(one.start)}
        </span>
        <span class="grow" />
        <span class="sm d2 nw">{more > 0 ? `and ${more} more` : ''}</span>
      </span>
      {values.length > 0 ? (
        <span class="code kv">
          {values.map(([name, value]) => (
            <Fragment key={name}>
              <span class="cut">{name}</span>
              <span class="cut">{value}</span>
            </Fragment>
          ))}
        </span>
      ) : (
        !may('values') && <span class="why">its values are not shown to you: that takes the scope “values”</span>
      )}
    </button>
  );
}
