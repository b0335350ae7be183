// What a trace is, in words, before the evidence.
import { Check, Download, Link as LinkIcon, Route, Table } from 'lucide';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { serverNow } from '../api/client.ts';
import type { TraceAnswer, Value } from '../api/types.ts';
import { count, duration, plural } from '../format/number.ts';
import { absolute, ago, clock } from '../format/time.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { term } from '../query/write.ts';
import { href } from '../state/route.ts';
import { hueOf } from '../state/services.ts';
import { StatusCode } from '../traces/TraceList.tsx';
import { CompareMenu } from './CompareMenu.tsx';
import { FilesMenu } from './FilesMenu.tsx';
import { errorCount, type ServiceShare, type TraceModel } from './model.ts';

interface HeadProps {
  model: TraceModel;
  answer: TraceAnswer;
  correct: boolean;
  setCorrect: (on: boolean) => void;
  critical: boolean;
  setCritical: (on: boolean) => void;
  table: boolean;
  setTable: (on: boolean) => void;
  openMissing: () => void;
}

export function TraceHead(props: HeadProps) {
  const { model, answer, correct, setCorrect, critical, setCritical, table, setTable } = props;
  const { main } = model;
  // A trace that was not sampled may have its error all the same.
  const title = main?.name ?? model.events.find((event) => event.error)?.title ?? 'A trace without spans';
  const young = serverNow() - model.begin.ms < 60_000;
  return (
    <div class="bar hd">
      <StatusCode code={codeOf(main?.row.attr)} />
      <h1 class="cut" title={title}>
        {title}
      </h1>
      <span class="total">{duration(model.duration)}</span>
      <span class="d2 cut about" title={`${absolute(model.begin.ms)}, ${ago(model.begin.ms, serverNow())}`}>
        {plural(model.spans.length, 'span')}, {plural(model.serviceCount, 'service')}, {clock(model.begin.ms)}
      </span>
      {model.missing.length > 0 && (
        <button type="button" class="pill w" title="Why?" onClick={props.openMissing}>
          {plural(model.missing.length, 'span')} missing{young ? ' so far' : ''}
        </button>
      )}
      {(model.corrections.length > 0 || !correct) && (
        <button
          type="button"
          class="pill"
          aria-pressed={correct}
          title={correct ? 'Show the times as they were sent' : 'Correct the clocks'}
          onClick={() => setCorrect(!correct)}
        >
          {correct
            ? model.corrections
                .map((c) => `${c.service} clock ${c.shift > 0 ? '+' : '−'}${duration(Math.abs(c.shift))}, corrected`)
                .join('; ')
            : 'times as sent'}
        </button>
      )}
      {answer.hidden ? <span class="pill">{plural(answer.hidden, 'span')} in projects you may not read</span> : null}
      {answer.cut && <span class="pill w">cut: only the earliest are shown</span>}
      <span class="grow" />
      <button type="button" class="btn s wide" aria-pressed={critical} onClick={() => setCritical(!critical)}>
        <Icon icon={Route} size={14} />
        Critical path <kbd class="kbd">c</kbd>
      </button>
      <button type="button" class="btn s wide" aria-pressed={table} onClick={() => setTable(!table)}>
        <Icon icon={Table} size={14} />
        Table <kbd class="kbd">t</kbd>
      </button>
      <FilesMenu model={model} />
      <CompareMenu model={model} />
      <ShareButton />
      <button type="button" class="btn s i wide" title="Download as JSON" aria-label="Download as JSON" onClick={() => download(answer)}>
        <Icon icon={Download} size={14} />
      </button>
    </div>
  );
}

function codeOf(attr: { [key: string]: Value } | undefined): number | undefined {
  const code = Number(attr?.['http.response.status_code'] ?? attr?.['http.status_code']);
  return Number.isFinite(code) ? code : undefined;
}

function ShareButton() {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <button
      type="button"
      class="btn s i wide"
      title="Copy the link to this view"
      aria-label="Copy the link to this view"
      onClick={() => void copy()}
    >
      <Icon icon={done ? Check : LinkIcon} size={14} />
    </button>
  );
}

function download(answer: TraceAnswer): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(answer, null, 2)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `trace-${answer.trace}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** All of the trace, and what its clocks may be wrong by. */
export function minuteAround(model: TraceModel): { from: number; to: number } {
  return { from: Math.floor(model.begin.ms - 60_000), to: Math.ceil(model.begin.ms + model.duration / 1e6 + 60_000) };
}

/** One knot for each kind of record this trace is tied to; a dashed one says what is missing and why. */
export function Joined({ model, nextError, nextSnapshot }: { model: TraceModel; nextError: () => void; nextSnapshot: () => void }) {
  const failing = errorCount(model);
  const { from, to } = minuteAround(model);
  const range = { from: String(from), to: String(to) };
  return (
    <nav class="joined scroll" aria-label="Joined to this trace" tabIndex={0}>
      <span class="knot here">
        <span class="k" />
        Trace <b>{model.id.slice(0, 8)}</b>
      </span>
      <i />
      {failing > 0 ? (
        <button type="button" class="knot" onClick={nextError} title="To the next one (e)">
          <span class="k" />
          Errors <b>{count(failing)}</b>
        </button>
      ) : (
        <span class="knot">
          <span class="k" />
          No errors
        </span>
      )}
      {model.logs.length > 0 ? (
        <>
          <i />
          <Link class="knot" follow href={href('/logs', { q: `logs ${term('trace', model.id)}`, ...range })}>
            <span class="k" />
            Logs <b>{count(model.logs.length)}</b>
          </Link>
        </>
      ) : (
        <>
          <i class="no" />
          <span class="knot none">
            <span class="k" />
            Logs, none were sent with this trace's id
          </span>
        </>
      )}
      {model.snapshots.length > 0 ? (
        <>
          <i />
          <button type="button" class="knot" onClick={nextSnapshot} title="To the next one (n)">
            <span class="k" />
            Snapshots <b>{count(model.snapshots.length)}</b>
          </button>
        </>
      ) : (
        <>
          <i class="no" />
          <span class="knot none">
            <span class="k" />
            Snapshots, no probe was hit in it
          </span>
        </>
      )}
    </nav>
  );
}

const hueClass = (share: ServiceShare) => (share.foreign ? 'foreign' : `h${hueOf(share.service)}`);

interface BreakdownProps {
  model: TraceModel;
  chosen: string | undefined;
  choose: (service: string | undefined) => void;
  children: ComponentChildren;
}

/** Where the time went, by service; a click shows only that service's rows in full. */
export function Breakdown({ model, chosen, choose, children }: BreakdownProps) {
  const shares = model.services.filter((share) => share.self > 0 || share.spans > 0);
  return (
    <>
      <div class="over">
        <div class="lg0 wide">
          <div class="xs d3">Self time by service</div>
          <div class="brk" aria-hidden="true">
            {shares.map((share) => (
              <i
                key={share.service}
                class={hueClass(share)}
                style={{ flexGrow: share.self, opacity: chosen && chosen !== share.service ? 0.3 : 1 }}
              />
            ))}
          </div>
        </div>
        {children}
      </div>
      <div class="legend scroll">
        {shares.map((share) => (
          <button
            type="button"
            key={share.service}
            class={`svc ${hueClass(share)} ${share.external ? 'ext' : ''}`}
            aria-pressed={chosen === share.service}
            title={share.external ? `${share.service} sent nothing itself: what its callers waited for` : `${plural(share.spans, 'span')}`}
            onClick={() => choose(chosen === share.service ? undefined : share.service)}
          >
            {share.service}
            {share.versions.length > 0 && <span class="d3 xs">{share.versions.join(' and ')}</span>}
            <span class="d2">{duration(share.self)}</span>
          </button>
        ))}
      </div>
    </>
  );
}
