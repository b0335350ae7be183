// A probe as it is written: when, what, until, where, at what cost. It opens under its line.
import { Plus, X } from 'lucide';
import { useEffect, useState } from 'preact/hooks';
import { me, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import {
  addProbe,
  changeProbe,
  type Instance,
  LEVELS,
  loadForecast,
  loadVariables,
  type Probe,
  removeProbe,
  type Variable,
} from '../api/probes.ts';
import { count, duration, NNBSP, plural } from '../format/number.ts';
import { Icon } from '../parts/Icon.tsx';
import {
  type At,
  counts,
  DEPTHS,
  type Draft,
  draftFor,
  draftOf,
  EVERY_TRACE,
  FAILED_TRACES,
  FRAMES,
  HITS,
  inputOf,
  KEEPS,
  keepOf,
  lacks,
  nameFor,
  RATES,
  TTLS,
} from './draft.ts';
import { ExprField } from './ExprField.tsx';
import { namesNear } from './expression.ts';
import { MetricRows } from './MetricRows.tsx';
import { refusal, run } from './session.ts';
import { core, fileName, isAlive, nameOf, placementSaid, probeSaid } from './words.ts';

interface Props {
  service: string;
  project: string | undefined;
  file: string;
  line: number;
  /** The function that the line is in. */
  around: string | undefined;
  lines: readonly string[];
  /** Of the text that is shown. */
  hash: string | undefined;
  process: string | undefined;
  instances: readonly Instance[];
  probe: Probe | undefined;
  /** All that stand at the line. */
  here: readonly Probe[];
  /** Another one of them, or (nothing) a new one beside them. */
  choose: (probe: Probe | undefined) => void;
  /** To begin with, from the address: a condition that was added elsewhere. */
  condition: string | undefined;
  placed: (probe: Probe) => void;
  /** Paused, or not any more: the editor stays. */
  changed: (probe: Probe) => void;
  removed: (probe: Probe) => void;
  close: () => void;
}

const KIND_WORDS = [
  ['snapshot', 'Tracepoint', 'Captures variables and the stack'],
  ['log', 'Logpoint', 'Writes a log line'],
  ['metric', 'Metric', 'Counts in a metric, at any rate of runs'],
  ['timer', 'Timer', 'Measures how long a function takes'],
] as const;
export function Editor(props: Props) {
  const { service, file, line, around, lines, process, instances, probe, placed, changed, removed, close } = props;
  const alive = probe && isAlive(probe) ? probe : undefined;
  const [draft, setDraft] = useState<Draft>(() => {
    const first = probe ? draftOf(probe) : draftFor(lines[line - 1] ?? '');
    return props.condition ? { ...first, condition: props.condition } : first;
  });
  const [wrong, setWrong] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<Draft>) => setDraft((was) => ({ ...was, ...change }));
  const variables = useVariables(service, process, file, line, lines);
  const verdict = (name: string) => (fine: boolean) =>
    setWrong((was) => {
      if (fine !== was.has(name)) return was;
      const next = new Set(was);
      if (fine) next.delete(name);
      else next.add(name);
      return next;
    });
  const able = instances.filter((one) => one.connected && one.attachable !== false);
  const cannot = instances.length - able.length;
  /** Where the probe that is changed has been refused; another line or condition may fit there. */
  const refused = able.filter((one) => {
    const placement = probe?.instances.find((there) => there.process === one.id && there.agent === one.agent);
    return placement !== undefined && placementSaid(placement, one).tone === 'bad';
  }).length;
  const chosen = instances.find((one) => one.id === process);
  const targets = draft.pid !== undefined ? 1 : draft.on === 'all' ? able.length : Math.min(Number(draft.on) || able.length, able.length);
  const why = lacks(draft) ?? (wrong.size > 0 ? 'An expression has an error.' : able.length === 0 ? 'No process can take it.' : undefined);
  const place = async () => {
    if (why || busy) return;
    setBusy(true);
    const spot = { file, line, function: around ?? alive?.where.function, hash: props.hash, text: lines[line - 1] };
    const input = inputOf(draft, spot, service, alive);
    if (!alive && props.project) input.project = props.project;
    const made = await run(() => (alive ? changeProbe(alive.id, input) : addProbe(input)));
    setBusy(false);
    if (made) placed(made);
  };
  const choose = (kind: Draft['kind']) => {
    const spot = { file, function: around ?? alive?.where.function };
    const named =
      kind === 'metric' && draft.name === '' ? nameFor(spot) : kind === 'timer' && draft.name === nameFor(spot) ? '' : draft.name;
    set({ kind, name: named, ...(kind === 'timer' && { at: spot.function ? 'exit' : 'line' }) });
  };
  const pause = async () => {
    if (!alive) return;
    const made = await run(() => changeProbe(alive.id, { paused: !alive.paused }));
    if (made) changed(made);
  };
  const remove = async () => {
    if (!alive) return;
    setBusy(true);
    await run(() => removeProbe(alive.id));
    setBusy(false);
    if (!refusal.value) removed(alive);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void place();
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const error = refusal.value;
  return (
    <section class="pop ed" aria-label={`Probe at ${fileName(file)}:${line}`} onKeyDown={onKeyDown}>
      <span class="nib" aria-hidden="true" />
      <div class="eh">
        <span class="seg s" role="group" aria-label="Kind of probe">
          {KIND_WORDS.map(([kind, word, does]) => (
            <button type="button" key={kind} aria-pressed={draft.kind === kind} title={does} onClick={() => choose(kind)}>
              {draft.kind === kind && <span class="dia" aria-hidden="true" />}
              {word}
            </button>
          ))}
        </span>
        <span class="grow" />
        <span class="mono d3 cut">
          {fileName(file)}:{line}
        </span>
        <button type="button" class="btn g s i" aria-label="Close the editor" title="Close (Esc)" onClick={close}>
          <Icon icon={X} size={14} />
        </button>
      </div>
      <div class="eg">
        {props.here.length > 0 && <HereRow here={props.here} chosen={alive} choose={props.choose} />}
        <span class="lab">At</span>
        <AtRow draft={draft} set={set} line={line} around={around ?? alive?.where.function} file={file} />
        <span class="lab">If</span>
        <ExprField
          as="condition"
          label="Condition"
          value={draft.condition}
          placeholder={example(variables)}
          variables={variables}
          write={(condition) => set({ condition })}
          checked={verdict('if')}
          focus
        />
        {draft.kind === 'snapshot' && <CaptureRow draft={draft} set={set} variables={variables} verdict={verdict} />}
        {draft.kind === 'log' && (
          <>
            <span class="lab">Message</span>
            <div class="emsg">
              <select class="text" aria-label="Level" value={draft.level} onChange={(event) => set({ level: event.currentTarget.value })}>
                {LEVELS.map((level) => (
                  <option key={level}>{level}</option>
                ))}
              </select>
              <ExprField
                as="template"
                label="Message"
                value={draft.template}
                placeholder="order {order.id}: {len(order.lines)} lines"
                variables={variables}
                write={(template) => set({ template })}
                checked={verdict('template')}
              />
            </div>
          </>
        )}
        {counts(draft) && <MetricRows draft={draft} set={set} variables={variables} verdict={verdict} />}
        <span class="lab">Until</span>
        <Until draft={draft} set={set} />
        <span class="lab">On</span>
        <div class="row wrapr">
          <span class="seg s" role="group" aria-label="On which instances">
            <button
              type="button"
              aria-pressed={draft.pid === undefined && draft.on === '1'}
              onClick={() => set({ on: '1', pid: undefined, host: undefined })}
            >
              1 of them
            </button>
            <button
              type="button"
              aria-pressed={draft.pid === undefined && draft.on === 'all'}
              onClick={() => set({ on: 'all', pid: undefined, host: undefined })}
            >
              all {able.length}
            </button>
            {chosen?.pid !== undefined && (
              <button
                type="button"
                class="mono"
                aria-pressed={draft.pid === chosen.pid}
                onClick={() => set({ on: 'all', pid: chosen.pid, host: chosen.host })}
              >
                {nameOf(chosen)}
              </button>
            )}
          </span>
          <span class="sm d2">
            {able.length - refused} can take it
            {refused > 0 && <span class="err">, {refused === 1 ? '1 refuses' : `${count(refused)} refuse`}</span>}
            {cannot > 0 && <span class="err">, {cannot === 1 ? '1 cannot' : `${count(cannot)} cannot`}</span>}
          </span>
        </div>
        <span class="lab">Cost</span>
        <Cost {...{ service, file, line }} at={draft.at} placed={alive} stops={able.some((one) => one.runtime === 'node')} />
      </div>
      {error && (
        <p class="eerr sm" role="alert">
          <span class="err">{error.message}</span> {error.place && <code class="d3">{error.place}</code>} {error.hint}
        </p>
      )}
      <div class="ef">
        <span class="sm d3 cut ends" title="When the agent hears nothing of this server for 90 s, it takes its probes back">
          Removes itself at {ends(draft, alive)}, or when contact is lost
        </span>
        <span class="grow" />
        {alive && (
          <>
            <button type="button" class="btn s" disabled={busy} onClick={() => void remove()}>
              Remove
            </button>
            <button type="button" class="btn s" disabled={busy} onClick={() => void pause()}>
              {alive.paused ? 'Resume' : 'Pause'}
            </button>
          </>
        )}
        {why && <span class="sm d2 nw">{why}</span>}
        <button type="button" class="btn s livep" disabled={busy || why !== undefined} title={why} onClick={() => void place()}>
          {alive ? 'Update' : 'Place on'} {plural(targets, 'instance')}
          <kbd class="kbd in wide">Ctrl ↵</kbd>
        </button>
      </div>
    </section>
  );
}

function example(variables: readonly Variable[]): string {
  const first = variables[0]?.name;
  return first ? `always; or for example ${first} != null` : 'always; or for example order.total > 100';
}

function ends(draft: Draft, alive: Probe | undefined): string {
  const unchanged = alive && draftOf(alive).ttl === draft.ttl;
  const at = new Date(unchanged ? Date.parse(alive.expires) : serverNow() + draft.ttl * 1000);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
}

type Set1 = (change: Partial<Draft>) => void;

const AT_WORDS: [At, string, string][] = [
  ['entry', 'entry', 'When it is called'],
  ['exit', 'exit', 'When it ends, with what it returns or raises, and how long it took'],
  ['throw', 'throw', 'When an exception leaves it'],
];

interface AtProps {
  draft: Draft;
  set: Set1;
  line: number;
  around: string | undefined;
  file: string;
}

/** What else stands at the line: each has its condition, its hits and its end. */
function HereRow({ here, chosen, choose }: { here: readonly Probe[]; chosen: Probe | undefined; choose: Props['choose'] }) {
  return (
    <>
      <span class="lab">Here</span>
      <div class="row wrapr">
        <span class="seg s herep" role="group" aria-label="Probes at this line">
          {here.map((one) => (
            <button
              type="button"
              key={one.id}
              aria-pressed={one.id === chosen?.id}
              title={one.if ? `if ${one.if}` : 'Always'}
              onClick={() => choose(one)}
            >
              {`${kindOf(one)} ${one.id}, ${probeSaid(one)}`}
            </button>
          ))}
          <button type="button" aria-pressed={chosen === undefined} title="One more at this line" onClick={() => choose(undefined)}>
            <Icon icon={Plus} size={12} />
            Another
          </button>
        </span>
      </div>
    </>
  );
}

const kindOf = ({ kind }: Probe): string => (kind === 'exception' ? 'Exception' : (KIND_WORDS.find(([one]) => one === kind)?.[1] ?? kind));

/** At the line, at a moment of the function around it, or when an exception is raised. */
function AtRow({ draft, set, line, around, file }: AtProps) {
  return (
    <div class="row wrapr">
      <span class="seg s" role="group" aria-label="Where">
        <button
          type="button"
          aria-pressed={draft.at === 'line'}
          disabled={draft.kind === 'timer'}
          title="Before the line runs"
          onClick={() => set({ at: 'line' })}
        >
          line {line}
        </button>
        {AT_WORDS.map(([at, word, does]) => (
          <button
            type="button"
            key={at}
            aria-pressed={draft.at === at}
            disabled={!around || (draft.kind === 'timer' && at !== 'exit')}
            title={around ? `${does}: ${around}()` : 'The line is in no function'}
            onClick={() => set({ at })}
          >
            {word}
          </button>
        ))}
        <button
          type="button"
          aria-pressed={draft.at === 'exception'}
          disabled={draft.kind === 'timer'}
          title="When an exception is raised, caught or not"
          onClick={() => set({ at: 'exception' })}
        >
          exception
        </button>
      </span>
      {draft.at === 'exception' ? (
        <>
          <input
            class="text ename"
            aria-label="Type of the exception"
            placeholder="any type"
            value={draft.exception}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => set({ exception: event.currentTarget.value })}
          />
          <select
            class="text"
            aria-label="Raised where"
            title="What nobody catches is that which ends the program or one of its threads"
            value={draft.uncaught ? 'uncaught' : draft.within && around ? 'function' : 'file'}
            onChange={({ currentTarget: { value } }) => set({ within: value === 'function', uncaught: value === 'uncaught' })}
          >
            {around && <option value="function">in {around}()</option>}
            <option value="file">in {fileName(file)}</option>
            <option value="uncaught">anywhere, caught by nobody</option>
          </select>
          <span
            class="sm d2"
            title="Each capture becomes an error event in the probe's project. Where Sentry's SDK reports the error itself, it stays a snapshot."
          >
            becomes an issue too, if the process has no Sentry SDK
          </span>
        </>
      ) : (
        draft.at !== 'line' && <span class="mono d2 cut">{around}()</span>
      )}
      <select
        class="text"
        aria-label="Where the file is another"
        title="What a process does that runs another version of the file"
        value={draft.exact ? 'exact' : 'follow'}
        onChange={(event) => set({ exact: event.currentTarget.value === 'exact' })}
      >
        <option value="follow">{draft.at === 'line' ? 'follows the line' : 'in any version'}</option>
        <option value="exact">in this text only</option>
      </select>
    </div>
  );
}

interface CaptureProps {
  draft: Draft;
  set: Set1;
  variables: readonly Variable[];
  verdict: (name: string) => (fine: boolean) => void;
}

function CaptureRow({ draft, set, variables, verdict }: CaptureProps) {
  const { exprs } = draft;
  return (
    <>
      <span class="lab">Capture</span>
      <div class="row wrapr">
        <button type="button" class="chip tg" aria-pressed={draft.locals} onClick={() => set({ locals: !draft.locals })}>
          locals
        </button>
        <button type="button" class="chip tg" aria-pressed={draft.args} onClick={() => set({ args: !draft.args })}>
          arguments
        </button>
        <button type="button" class="chip o" onClick={() => set({ exprs: [...exprs, ''] })}>
          <Icon icon={Plus} size={12} />
          expression
        </button>
        <span class="grow" />
        <span class="row wrapr">
          <Pick label="Frames" value={draft.frames} of={FRAMES} say={(n) => plural(n, 'frame')} pick={(frames) => set({ frames })} />
          <Pick label="Depth" value={draft.depth} of={DEPTHS} say={(n) => `depth ${n}`} pick={(depth) => set({ depth })} />
        </span>
      </div>
      {exprs.map((text, index) => (
        <Expression
          key={index}
          text={text}
          index={index}
          variables={variables}
          verdict={verdict}
          write={(next) => set({ exprs: exprs.map((one, at) => (at === index ? next : one)) })}
          drop={() => {
            verdict(`expr ${exprs.length - 1}`)(true);
            set({ exprs: exprs.filter((_, at) => at !== index) });
          }}
        />
      ))}
    </>
  );
}

interface ExpressionProps extends Pick<CaptureProps, 'variables' | 'verdict'> {
  text: string;
  index: number;
  write: (text: string) => void;
  drop: () => void;
}

function Expression({ text, index, variables, verdict, write, drop }: ExpressionProps) {
  return (
    <>
      <span />
      <div class="row exline">
        <ExprField
          as="expression"
          label={`Expression ${index + 1}`}
          value={text}
          placeholder="order.customer.tier"
          variables={variables}
          write={write}
          checked={verdict(`expr ${index}`)}
          focus={text === ''}
        />
        <button type="button" class="btn g s i" aria-label={`Remove expression ${index + 1}`} onClick={drop}>
          <Icon icon={X} size={12} />
        </button>
      </div>
    </>
  );
}

function Until({ draft, set }: { draft: Draft; set: Set1 }) {
  const life = (
    <Pick
      label="Time"
      value={draft.ttl}
      of={TTLS.map(([s]) => s)}
      say={(s) => TTLS.find(([one]) => one === s)?.[1] ?? `${Math.round(s / 60)} min`}
      pick={(ttl) => set({ ttl })}
    />
  );
  if (counts(draft))
    return (
      <div class="row wrapr">
        {life}
        <span class="sm d2">every run is counted, none is used up</span>
      </div>
    );
  return (
    <div class="row wrapr">
      <Pick label="Hits" value={draft.hits} of={HITS} say={(n) => plural(n, 'hit')} pick={(hits) => set({ hits })} />
      <Pick label="Traces" value={draft.keep} of={KEEPS} say={keepSaid} pick={(keep) => set(keepOf(draft, keep))} />
      {life}
      <Pick
        label="Rate"
        value={draft.rate}
        of={RATES}
        say={(n) => (n < 1 ? `at most 1 in ${Math.round(1 / n)}${NNBSP}s` : `at most ${n}${NNBSP}/s`)}
        pick={(rate) => set({ rate })}
      />
    </div>
  );
}

function keepSaid(keep: number): string {
  if (keep === EVERY_TRACE) return 'of any trace';
  return keep === FAILED_TRACES ? 'of failed traces' : `of traces over ${keep < 1000 ? `${keep}${NNBSP}ms` : `${keep / 1000}${NNBSP}s`}`;
}

interface PickProps {
  label: string;
  value: number;
  of: readonly number[];
  say: (n: number) => string;
  pick: (n: number) => void;
}

/** What a probe came with may be none of the usual ones: it is offered, too. */
function Pick({ label, value, of, say, pick }: PickProps) {
  const list = of.includes(value) ? of : [...of, value].sort((a, b) => a - b);
  return (
    <select class="text" aria-label={label} value={value} onChange={(event) => pick(Number(event.currentTarget.value))}>
      {list.map((n) => (
        <option key={n} value={n}>
          {say(n)}
        </option>
      ))}
    </select>
  );
}

const BUDGET = 0.01;

/** Counted for a second before it is placed; once it stands, what it has cost. */
interface CostProps {
  service: string;
  file: string;
  line: number;
  at: At;
  placed: Probe | undefined;
  /** To place a counter lets a process stand: it is asked for first. */
  stops: boolean;
}

function Cost({ service, file, line, at, placed, stops }: CostProps) {
  const lines = at === 'line';
  const key = `forecast ${service} ${file} ${lines ? line : at} ${placed?.id}`;
  const [asked, setAsked] = useState('');
  const offered = stops && asked !== key;
  const may = me.value?.scopes?.includes('probe') ?? false;
  const load = useLoad(key, `${key} ${offered}`, (abort) =>
    placed || !may || !lines || offered ? Promise.resolve(undefined) : loadForecast(service, file, line, abort),
  );
  if (placed) {
    const ratios = placed.instances.flatMap((one) => (one.cost_ratio === undefined ? [] : [one.cost_ratio]));
    const most = Math.max(0, ...ratios);
    return (
      <div class="ecost">
        <Gauge ratio={most} />
        <p class="xs d3">
          {ratios.length > 0 ? 'Measured since it was placed, in the instance where it costs most.' : 'Not run yet.'} Your code is never
          called.
        </p>
      </div>
    );
  }
  const told = load.data.value;
  const error = load.error.value;
  return (
    <div class="ecost">
      {told ? (
        <Gauge ratio={told.core_ratio} suspended={told.suspended} />
      ) : lines && may && offered ? (
        <div class="row">
          <span class="gau" />
          <button type="button" class="btn s" onClick={() => setAsked(key)}>
            Count for a second
          </button>
        </div>
      ) : (
        <div class="row">
          <span class="gau" />
          <span class="sm d2 nw">
            {error || !lines ? 'not known yet, budget 1\u202f%' : load.busy.value ? 'counting for a second' : '\u00a0'}
          </span>
        </div>
      )}
      <p class="xs d3">
        {told
          ? told.hits_per_s > 0
            ? `Counted first: ${told.suspended ? 'at least ' : ''}${rate(told.hits_per_s)}, ${duration(told.cost_ns)} each. `
            : 'Counted first: the line did not run in that second. '
          : !lines
            ? 'Only lines are counted first; this is measured once it is placed. '
            : error
              ? `${sentence(error.message)} `
              : may && offered
                ? 'A process of Node stands for some 20\u202fms when a counter comes, and when it goes. '
                : ''}
        Your code is never called.
      </p>
    </div>
  );
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

function rate(perSecond: number): string {
  if (perSecond >= 1) return `${count(perSecond < 10 ? Number(perSecond.toPrecision(2)) : Math.round(perSecond))} runs a second`;
  return `${Math.max(1, Math.round(perSecond * 60))} runs a minute`;
}

function Gauge({ ratio, suspended }: { ratio: number; suspended?: boolean }) {
  const over = suspended || ratio > BUDGET;
  return (
    <>
      <div class="row">
        <span class={`gau ${over ? 'over' : ''}`}>
          <i style={{ width: `${Math.min(100, (ratio / BUDGET) * 100)}%` }} />
          <u />
        </span>
        <span class="sm nw">
          <b>{core(ratio)}</b>, budget 1{NNBSP}%
        </span>
      </div>
      {over && <p class="sm wrn">It would be suspended: add a condition or a lower rate.</p>}
    </>
  );
}

/** Names in scope: from the process; where its runtime cannot say, those that the text shows. */
function useVariables(service: string, process: string | undefined, file: string, line: number, lines: readonly string[]): Variable[] {
  const [known, setKnown] = useState<Variable[]>(() => namesNear(lines, line));
  useEffect(() => {
    let left = false;
    setKnown(namesNear(lines, line));
    loadVariables(service, process, file, line).then(
      (list) => !left && list.length > 0 && setKnown(list),
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [service, process, file, line]);
  return known;
}
