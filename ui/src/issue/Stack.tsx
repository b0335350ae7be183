// What was raised, each exception with its frames: one's own open with source and values side by side, libraries folded.
import { ChevronDown, ChevronRight, Crosshair } from 'lucide';
import { useMemo, useState } from 'preact/hooks';
import { type Exception, type Frame, type IssueEvent, probedOf, type Thread } from '../api/event.ts';
import { plural } from '../format/number.ts';
import { shortType } from '../issues/words.ts';
import { safeText } from '../logs/text.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { liveHref } from '../snapshots/links.ts';
import { ArmButton, ArmStrip } from './Arm.tsx';
import { lineOf, serviceIn } from './capture.ts';
import type { Mode } from './EventView.tsx';
import { codeOf, exceptionsOf, libraries, localsOf, nameOf, ofMonitor, openAtFirst, placeOf, rootOf, runsOf, stackText } from './frames.ts';
import { uploadCommand } from './missing.ts';
import { CapturedLocals, useCapturing } from './Snapshots.tsx';
import { Source } from './Source.tsx';
import { Values } from './Values.tsx';

export function Stacks({ event, mode }: { event: IssueEvent; mode: Mode }) {
  const exceptions = exceptionsOf(event);
  if (exceptions.length === 0)
    return (
      <div class="nostack hl">
        <p class="code wrap">{event.message ?? event.title}</p>
        <p class="why">
          {ofMonitor(event.type)
            ? 'a job that checks in has no stack: its trace and its monitor say more'
            : event.type
              ? 'the SDK sent no stack'
              : 'a message, not an exception: it has no stack'}
        </p>
      </div>
    );
  return (
    <>
      {exceptions.map((exception, index) => (
        <One key={index} exception={exception} index={index} of={exceptions.length} event={event} mode={mode} />
      ))}
      {(event.threads?.length ?? 0) > 1 && <Threads threads={event.threads ?? []} event={event} mode={mode} />}
    </>
  );
}

interface OneProps {
  exception: Exception;
  index: number;
  of: number;
  event: IssueEvent;
  mode: Mode;
}

function One({ exception, index, of, event, mode }: OneProps) {
  const frames = exception.frames ?? [];
  const handled = exception.mechanism?.handled;
  return (
    <section class="exc1 hl" aria-label={exception.type ?? 'Stack'}>
      {(of > 1 || mode === 'raw') && (
        <header class="row exh">
          {index > 0 && <span class="d3 sm nw">caused by</span>}
          <h3 class="nw">{exception.type ?? 'Stack'}</h3>
          <span class="mono d2 cut grow" title={exception.value}>
            {exception.value}
          </span>
          {handled !== undefined && of > 1 && <span class={`pill ${handled ? '' : 'w'}`}>{handled ? 'handled' : 'unhandled'}</span>}
          <CopyButton text={stackText(exception, event.platform)} label="Copy" />
        </header>
      )}
      {of === 1 && mode !== 'raw' && <Whole exception={exception} />}
      {mode === 'raw' ? (
        <pre class="code raw scroll" tabIndex={0}>
          {stackText(exception, event.platform)}
        </pre>
      ) : frames.length === 0 ? (
        <p class="hint why">the SDK sent no stack of it</p>
      ) : (
        <Frames
          frames={frames}
          event={event}
          full={mode === 'full'}
          open={index === 0 ? openAtFirst(frames) : -1}
          raised={index === of - 1 || of === 1}
        />
      )}
      {exception.frames_cut ? (
        <p class="hint why">{plural(exception.frames_cut, 'frame')} in the middle left out: more than are kept</p>
      ) : null}
    </section>
  );
}

/** The title of the page has room for a line; a message that has more stands here, and of a type its package. */
const FITS = 80;

function Whole({ exception: { type = '', value = '' } }: { exception: Exception }) {
  if (value.length <= FITS && !value.trim().includes('\n') && type === shortType(type)) return null;
  return (
    <div class="exw code wrap scroll" tabIndex={0} role="region" aria-label="What was raised" dir="auto">
      <b>{type}</b> {safeText(value)}
    </div>
  );
}

function Frames({
  frames,
  event,
  full,
  open,
  raised,
}: {
  frames: Frame[];
  event: IssueEvent;
  full: boolean;
  open: number;
  raised: boolean;
}) {
  return (
    <ol class="frames">
      {runsOf(frames, full).map((run) =>
        run.folded ? (
          <Library key={run.at} frames={run.frames} event={event} top={run.at === 0 && raised} />
        ) : (
          run.frames.map((frame, inner) => (
            <One1 key={run.at + inner} frame={frame} event={event} first={run.at + inner === open} top={run.at + inner === 0 && raised} />
          ))
        ),
      )}
    </ol>
  );
}

function Library({ frames, event, top }: { frames: Frame[]; event: IssueEvent; top: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <li>
        <button type="button" class="fr lib" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon icon={open ? ChevronDown : ChevronRight} size={14} />
          <span class="d3 nw">{plural(frames.length, 'frame')} in libraries</span>
          <span class="d3 sm cut">{libraries(frames)}</span>
          {top && <span class="pill">raised here</span>}
        </button>
      </li>
      {open && frames.map((frame, index) => <One1 key={index} frame={frame} event={event} first={false} top={false} />)}
    </>
  );
}

/** Of a frame: about as high as the source beside them. */
const LOCALS = 12;

function One1({ frame, event, first, top }: { frame: Frame; event: IssueEvent; first: boolean; top: boolean }) {
  const [open, setOpen] = useState(first);
  const locals = localsOf(frame);
  const capturing = useCapturing();
  const arming = capturing?.arming?.target.frame === frame ? capturing.arming : undefined;
  const captured = capturing?.frames.has(frame) ?? false;
  const beside = locals.length > 0 || frame.vars_hidden || captured;
  const place = placeOf(
    frame,
    useMemo(() => rootOf(event), [event]),
  );
  return (
    <li class={frame.in_app ? 'own' : ''}>
      <div class={`fr ${open ? 'open' : ''}`}>
        <button type="button" class="frb" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon icon={open ? ChevronDown : ChevronRight} size={14} />
          <span class={`mono cut ${frame.in_app ? 'm' : 'd2'}`}>{nameOf(frame)}</span>
          <span class="mono d3 cut cut-start at" title={frame.abs_path ?? frame.file ?? place}>
            <bdi>{place}</bdi>
          </span>
          {top && <span class="pill">raised here</span>}
        </button>
        {frame.symbolicated && (
          <span class="pill opt" title={frame.raw ? `sent as ${nameOf(frame.raw)} in ${placeOf(frame.raw)}` : undefined}>
            {frame.symbolicated === 'sourcemap' ? 'by source map' : `by ${frame.symbolicated}`}
          </span>
        )}
        {!open && (
          <span class="xs d3 nw opt">
            {frame.vars_hidden
              ? 'locals hidden'
              : locals.length > 0
                ? plural(locals.length, 'local')
                : !frame.context?.length
                  ? 'no source'
                  : ''}
          </span>
        )}
        {open && (
          <span class="opt">
            <CopyButton text={codeOf(frame) ?? place} label="Copy path" />
          </span>
        )}
        <CaptureHere frame={frame} event={event} words={open} />
        {arming && <ArmButton arming={arming} />}
      </div>
      {open && frame.code && (
        <p class="fcode xs d3 mono cut" title={`By a code mapping: ${frame.code.repository}, branch ${frame.code.branch}`}>
          {frame.code.repository} · {codeOf(frame)}
        </p>
      )}
      {open && (
        <div class={`sl ${beside ? '' : 'alone'}`}>
          {frame.context?.length ? <Source frame={frame} platform={event.platform} /> : <NoSource frame={frame} event={event} />}
          {beside && (
            <div class="locs">
              {locals.length > 0 && !(captured && probedOf(event)) && (
                <>
                  <div class="lh">
                    <span class="th grow">Locals</span>
                    <span class="xs d3">{locals.some((local) => local.used) ? 'those of the line first' : 'as the SDK sent them'}</span>
                  </div>
                  <Values entries={locals} first={LOCALS} repr={event.platform === 'python'} scrubbed={event.scrubbed} />
                </>
              )}
              {frame.vars_hidden && <p class="why hint">locals are there; to read them takes the scope values, which you do not have</p>}
              <CapturedLocals frame={frame} trace={event.trace} />
            </div>
          )}
        </div>
      )}
      {arming && <ArmStrip arming={arming} own={probedOf(event) !== undefined} />}
    </li>
  );
}

/** The way to the live page with the source open there. */
function CaptureHere({ frame, event, words }: { frame: Frame; event: IssueEvent; words: boolean }) {
  const service = serviceIn(event);
  const at = { ...frame, ...frame.raw };
  const file = at.abs_path ?? at.file;
  if (!frame.in_app || !file || !at.line || !service) return null;
  const place = placeOf(frame);
  return (
    <Link
      class={`btn g s sfhere ${words ? 'said' : 'i'}`}
      follow
      href={liveHref({ service, file, line: at.line, text: lineOf(frame) })}
      title={`Capture here: place a probe at ${place}`}
      aria-label={`Capture here: place a probe at ${place}`}
    >
      <Icon icon={Crosshair} size={14} />
      {words && <span class="opt">Place a probe</span>}
    </Link>
  );
}

function NoSource({ frame, event }: { frame: Frame; event: IssueEvent }) {
  const command = uploadCommand(frame, event);
  return (
    <div class="nosrc">
      <p class="why">
        {frame.missing ??
          (frame.in_app
            ? `no source: ${probedOf(event) ? 'a probe takes values alone' : 'the SDK sent no lines around it'}`
            : 'no source: code of a library')}
      </p>
      {command && (
        <div class="row">
          <code class="cut" title={command}>
            {command}
          </code>
          <CopyButton text={command} label="Copy" />
        </div>
      )}
    </div>
  );
}

function Threads({ threads, event, mode }: { threads: Thread[]; event: IssueEvent; mode: Mode }) {
  const [open, setOpen] = useState<number | undefined>();
  return (
    <section class="hl" aria-label="Threads">
      <div class="sec">
        <h2>Threads</h2>
        <span class="grow">{threads.length}</span>
      </div>
      {threads.map((thread, index) => (
        <div key={index}>
          <button type="button" class="fr" aria-expanded={open === index} onClick={() => setOpen(open === index ? undefined : index)}>
            <Icon icon={open === index ? ChevronDown : ChevronRight} size={14} />
            <span class="mono cut">{thread.name ?? thread.id ?? 'thread'}</span>
            {thread.crashed && <span class="pill e">crashed</span>}
            {thread.current && <span class="pill">current</span>}
            <span class="grow" />
            <span class="xs d3">{plural(thread.frames?.length ?? 0, 'frame')}</span>
          </button>
          {open === index && thread.frames && (
            <Frames frames={thread.frames} event={event} full={mode === 'full'} open={-1} raised={false} />
          )}
        </div>
      ))}
    </section>
  );
}
