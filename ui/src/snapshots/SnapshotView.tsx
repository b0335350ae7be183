// One snapshot: the stack with one's own frames first, what was known in the chosen frame, what it cost. For any width: in a panel the
// stack stands above the variables, where there is room beside them.
import '../styles/snapshots.css';
import { ChevronDown, ChevronRight, Plus, Search } from 'lucide';
import type { ComponentChildren, Ref } from 'preact';
import { useState } from 'preact/hooks';
import type { Capture, Captured, CapturedFrame } from '../api/snapshots.ts';
import { duration, plural } from '../format/number.ts';
import { libraries, runsOf } from '../issue/frames.ts';
import { safeText } from '../logs/text.ts';
import { Icon } from '../parts/Icon.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { CaptureHere } from './CaptureHere.tsx';
import { Differing } from './Differing.tsx';
import { differences } from './diff.ts';
import { Tree } from './Tree.tsx';
import { frameAtFirst, placeOf, shortPlace } from './tree.ts';
import { copyText, isPython, oneLine, reasonOf } from './value.ts';
import { costText, lossText } from './words.ts';

interface Props {
  capture: Capture;
  /** An earlier one of the same probe: what has changed since stands in a tab. */
  before?: Capture | undefined;
  /** What the earlier one is called in that tab. */
  beforeName?: string;
  /** Which tab is open at first. */
  first?: Tab;
  /** What can be done with a value, named as an expression: on the live page it goes into the condition. */
  use?: { label: string; run: (expression: string, value: Captured | undefined) => void };
  /** The element that holds it all. */
  box?: Ref<HTMLDivElement>;
}

type Tab = 'variables' | 'changed' | 'raw';

export function SnapshotView({ capture, before, beforeName = 'the one before', first = 'variables', use, box }: Props) {
  const [chosenFrame, setFrame] = useState<number>();
  const [tab, setTab] = useState<Tab>(first);
  const [find, setFind] = useState('');
  const [path, setPath] = useState<string>();
  const [value, setValue] = useState<Captured>();
  const frames = capture.frames ?? [];
  const frame = chosenFrame !== undefined && chosenFrame < frames.length ? chosenFrame : frameAtFirst(frames);
  const changed = before && differences(before, capture);
  const shown = tab === 'changed' && !before ? 'variables' : tab;
  const tabs: [Tab, ComponentChildren][] = [
    ['variables', 'Variables'],
    ...(changed
      ? [
          [
            'changed',
            <>
              Changed <span class="wide">since {beforeName}</span> <span class="c">{changed.rows.length}</span>
            </>,
          ] as [Tab, ComponentChildren],
        ]
      : []),
    ['raw', 'Raw'],
  ];
  return (
    <div class="snap" ref={box}>
      <div class="snapin">
        <div class="snapside">
          <Said capture={capture} />
          <Stack capture={capture} frames={frames} frame={frame} choose={setFrame} />
        </div>
        <div class="snapmain">
          <div class="snaptabs">
            <div class="tabs" role="tablist" aria-label="Of the snapshot">
              {tabs.map(([id, label]) => (
                <button type="button" role="tab" key={id} aria-selected={shown === id} onClick={() => setTab(id)}>
                  {label}
                </button>
              ))}
            </div>
            {shown === 'variables' && (
              <label class="snapfind">
                <Icon icon={Search} size={14} />
                <input
                  value={find}
                  placeholder="Find"
                  aria-label="Find in this frame’s values"
                  spellcheck={false}
                  autocomplete="off"
                  onInput={(event) => setFind(event.currentTarget.value)}
                  onKeyDown={(event) => {
                    if (event.key !== 'Escape') return;
                    setFind('');
                    event.currentTarget.blur();
                    event.stopPropagation();
                  }}
                />
              </label>
            )}
          </div>
          {shown === 'raw' ? (
            <RawCapture capture={capture} />
          ) : shown === 'changed' && before && changed ? (
            <div class="scroll grow" tabIndex={0} role="region" aria-label="What has changed">
              <Differing found={changed} before={before} after={capture} />
            </div>
          ) : (
            <>
              <div class="scroll grow">
                <Tree
                  key={`${capture.id} ${frame}`}
                  capture={capture}
                  frame={frame}
                  find={find}
                  chosen={(to, of) => {
                    setPath(to);
                    setValue(of);
                  }}
                />
              </div>
              {value?.k === 'missing' && <Missing value={value} />}
              <div class="snappath">
                <span class="d3 sm">Path</span>
                {path ? (
                  <>
                    <code class="cut grow" title={path}>
                      {path}
                    </code>
                    {use && (
                      <button type="button" class="btn s" onClick={() => use.run(path, value)}>
                        <Icon icon={Plus} size={14} />
                        {use.label}
                      </button>
                    )}
                    <span class="kbd wide">y</span>
                    <CopyButton text={path} label="Copy path" />
                  </>
                ) : (
                  value && <span class="why grow">no expression names it</span>
                )}
                {value && <CopyButton text={copyText(value)} label="Copy value" />}
              </div>
            </>
          )}
          <div class="snapcost xs d3">
            <span class="grow cut">{costText(capture)}</span>
            {lossText(capture).map((text) => (
              <span class="nw" key={text}>
                {text}
              </span>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

/** How it ended, where that is known: what was thrown, what was returned, how long it took, what was logged. */
function Said({ capture }: { capture: Capture }) {
  const { exception, log } = capture;
  const python = isPython(capture.file);
  if (!exception && !log && !capture.return && capture.duration_ns === undefined) return null;
  return (
    <div class="snapsaid">
      {exception && (
        <p>
          <b class="err">{safeText(exception.type ?? 'exception')}</b>{' '}
          {exception.message && <span class="code wrap">{safeText(exception.message)}</span>}
        </p>
      )}
      {log && (
        <p class="code wrap">
          <span class="d3">{log.level ?? 'info'}</span> {safeText(log.body ?? '')}
        </p>
      )}
      {capture.return && (
        <p class="cut">
          <span class="d3">returned</span> <code>{oneLine(capture.return, python)}</code>
        </p>
      )}
      {capture.duration_ns !== undefined && (
        <p>
          <span class="d3">took</span> {duration(capture.duration_ns)}
        </p>
      )}
    </div>
  );
}

/** Whole, where its row has room for the beginning alone. */
function Missing({ value }: { value: Captured }) {
  const { why, next } = reasonOf(value.why, value.rule);
  return (
    <p class="snapwhy">
      <span class="why">{next ? `${why}: ${next}` : why}</span>
    </p>
  );
}

interface StackProps {
  capture: Capture;
  frames: CapturedFrame[];
  frame: number;
  choose: (frame: number) => void;
}

function Stack({ capture, frames, frame, choose }: StackProps) {
  if (frames.length === 0)
    return (
      <p class="hint">
        <span class="why">no stack: this probe takes none</span>
      </p>
    );
  const runs = runsOf(frames, false);
  const wide = frames.some((one) => one.in_app);
  return (
    <ol class="snapstack" aria-label="Stack">
      {runs.map((run) =>
        run.folded && wide ? (
          <Folded key={run.at} run={run} frames={frames} capture={capture} frame={frame} choose={choose} />
        ) : (
          run.frames.map((_, inner) => (
            <FrameRow key={run.at + inner} at={run.at + inner} frames={frames} capture={capture} frame={frame} choose={choose} />
          ))
        ),
      )}
      {capture.frames_cut ? (
        <li class="hint">
          <span class="why">{plural(capture.frames_cut, 'frame')} further out: more than the probe takes</span>
        </li>
      ) : null}
    </ol>
  );
}

function Folded({ run, ...props }: StackProps & { run: { at: number; frames: CapturedFrame[] } }) {
  const [open, setOpen] = useState(props.frame >= run.at && props.frame < run.at + run.frames.length);
  return (
    <>
      <li>
        <button type="button" class="sf lib" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon icon={open ? ChevronDown : ChevronRight} size={12} />
          <span class="nw">{plural(run.frames.length, 'frame')} in libraries</span>
          <span class="cut d3 xs">{libraries(run.frames)}</span>
        </button>
      </li>
      {open && run.frames.map((_, inner) => <FrameRow key={inner} at={run.at + inner} {...props} />)}
    </>
  );
}

function FrameRow({ at, capture, frames, frame, choose }: StackProps & { at: number }) {
  const one = frames[at] as CapturedFrame;
  const place = placeOf(one);
  return (
    <li class={`sfr ${frame === at ? 'on' : ''}`}>
      <button type="button" class="sf" aria-pressed={frame === at} onClick={() => choose(at)}>
        <span class={`mono cut ${frame === at ? 'm' : one.in_app ? '' : 'd2'}`}>{one.function || '(anonymous)'}</span>
        <span class="mono d3 cut end" title={place}>
          {shortPlace(one)}
        </span>
      </button>
      {one.in_app && capture.service && <CaptureHere bare place={{ service: capture.service, file: one.file, line: one.line }} />}
    </li>
  );
}

function RawCapture({ capture }: { capture: Capture }) {
  const text = JSON.stringify(capture, null, 2);
  return (
    <>
      <div class="snappath">
        <span class="grow sm d3">as the agent has made it</span>
        <CopyButton text={text} label="Copy JSON" />
      </div>
      <pre class="code scroll grow snapraw" tabIndex={0}>
        {safeText(text.slice(0, 400_000))}
      </pre>
    </>
  );
}
