// A rule as a form: when it fires, whom it tells, how often; beside it the sentence that it amounts to.
import { useState } from 'preact/hooks';
import { type Alerts, type Kind, type Op, type RuleInput, saveRule, type When } from '../api/alerts.ts';
import { ApiError, getJson, runQuery, serverNow } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import { plural } from '../format/number.ts';
import { span } from '../format/span.ts';
import { Icon } from '../parts/Icon.tsx';
import { QueryBar, QueryError } from '../query/QueryBar.tsx';
import { addTerm, term } from '../query/write.ts';
import { Once, Refusal, useDeed, useFocus } from '../settings/common.tsx';
import { refresh } from '../state/live.ts';
import { ChannelForm } from './Channels.tsx';
import { CHANNEL_ICONS } from './Marks.tsx';
import { ValueChart } from './ValueChart.tsx';
import { KINDS, OP_WORDS, OPS, readThreshold, sentence, writeThreshold } from './words.ts';

const KIND_LABELS: Record<Kind, [string, string]> = {
  new: ['is new', 'never seen before'],
  regressed: ['comes back', 'after it was resolved'],
  escalating: ['escalates', 'much more than it used to be, or than its archive allows'],
  events: ['has many events', ''],
  users: ['affects many users', ''],
};
const WINDOWS = [60, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800];
const COOLDOWNS = [0, 300, 900, 1800, 3600, 14_400, 86_400];
const COLLECTS = [0, 30, 60, 300, 900];
const EVERYTHING = 'issues';

interface Props {
  all: Alerts;
  was: RuleInput;
  id?: number;
  done: (id: number) => void;
  close: () => void;
}

/** Typed text first, numbers when they can be read. */
interface Draft extends Omit<RuleInput, 'threshold' | 'when'> {
  about: 'issues' | 'query';
  threshold: string;
  when: When[];
}

function draftOf(rule: RuleInput): Draft {
  return {
    ...rule,
    about: rule.query === undefined ? 'issues' : 'query',
    when: rule.when ?? [],
    threshold: rule.threshold === undefined ? '' : writeThreshold(rule.query, rule.threshold),
  };
}

function ruleOf({ about, threshold, when, filter, query, op, window_s, recovery, project, ...rest }: Draft): RuleInput {
  const whole = { ...rest, name: rest.name.trim(), ...(project && { project }) };
  const clean = (filter ?? '').trim();
  if (about === 'issues') return { ...whole, when, ...(clean && { filter: clean }) };
  const limit = readThreshold(threshold);
  return {
    ...whole,
    query: (query ?? '').trim(),
    op: op ?? '>',
    ...(limit !== undefined && { threshold: limit }),
    window_s: window_s ?? 300,
    recovery: recovery ?? true,
  };
}

export function RuleEditor({ all, was, id, done, close }: Props) {
  const [draft, setDraft] = useState(() => draftOf(was));
  const [tried, setTried] = useState<ApiError | undefined>();
  const first = useFocus();
  const deed = useDeed();
  const projects = useLoad('projects', 'projects', (abort) => getJson<{ projects: { slug: string }[] }>('/api/v1/projects', {}, abort));
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const rule = ruleOf(draft);
  const missing = whatIsMissing(rule);
  const save = () => {
    setTried(undefined);
    void deed.run(async () => {
      try {
        const saved = await saveRule(rule, id);
        refresh();
        if (saved) done(saved.id);
      } catch (error) {
        // What is wrong in the query is shown under it.
        if (error instanceof ApiError && error.column !== undefined) setTried(error);
        else throw error;
      }
    });
  };
  const slugs = (projects.data.value?.projects ?? []).map((one) => one.slug);
  return (
    <div class="redit">
      <div class="rform">
        <label class="field whole">
          <span class="sm d3">Name</span>
          <input
            class="text"
            maxLength={120}
            value={draft.name}
            ref={first}
            placeholder={draft.about === 'issues' ? 'New errors in checkout' : 'Checkout fails'}
            autocomplete="off"
            onInput={(event) => set({ name: event.currentTarget.value })}
          />
        </label>
        <div class="row wrap">
          <span class="seg" role="group" aria-label="What it watches">
            <button type="button" aria-pressed={draft.about === 'issues'} onClick={() => set({ about: 'issues' })}>
              Issues
            </button>
            <button type="button" aria-pressed={draft.about === 'query'} onClick={() => set({ about: 'query' })}>
              A query's value
            </button>
          </span>
          <label class="row sm d2">
            of
            <select
              class="text"
              aria-label="Project"
              value={draft.project ?? ''}
              onChange={(event) => set({ project: event.currentTarget.value })}
            >
              <option value="">all projects</option>
              {[...new Set([...slugs, ...(draft.project ? [draft.project] : [])])].map((slug) => (
                <option key={slug} value={slug}>
                  {slug}
                </option>
              ))}
            </select>
          </label>
        </div>
        {draft.about === 'issues' ? (
          <OfIssues draft={draft} set={set} error={tried} />
        ) : (
          <OfQuery draft={draft} set={set} error={tried} rule={rule} />
        )}
        <Tell all={all} draft={draft} set={set} />
        <section>
          <h2 class="m">How often</h2>
          <div class="row wrap">
            <Choice
              label="The same thing again after"
              options={COOLDOWNS}
              value={draft.cooldown_s ?? 1800}
              set={(cooldown_s) => set({ cooldown_s })}
            />
            <Choice
              label="Collect what follows for"
              options={COLLECTS}
              value={draft.collect_s ?? 60}
              set={(collect_s) => set({ collect_s })}
              none="do not collect"
            />
          </div>
        </section>
      </div>
      <aside class="rside">
        <h2 class="sm d3">What it will do</h2>
        <p class="rsay">{sentence({ ...rule, cooldown_s: rule.cooldown_s ?? 1800, collect_s: rule.collect_s ?? 60 }, all.channels)}</p>
        <div class="row wrap">
          <button type="button" class="btn p" disabled={deed.busy || missing !== undefined} onClick={save}>
            {id === undefined ? 'Make the rule' : 'Save the rule'}
          </button>
          <button type="button" class="btn g" onClick={close}>
            Cancel
          </button>
        </div>
        {missing && <p class="sm d3">{missing}</p>}
        <Refusal error={deed.error} />
      </aside>
    </div>
  );
}

function whatIsMissing(rule: RuleInput): string | undefined {
  if (!rule.name) return 'It needs a name.';
  if (rule.query === undefined) {
    if (!rule.when?.length) return 'Choose when it fires.';
    return rule.when.some((one) => /^(events|users)$/.test(one.kind) && !(one.n && one.n > 0)) ? 'It needs to know how many.' : undefined;
  }
  if (!rule.query) return 'It needs a query.';
  return rule.threshold === undefined ? 'It needs a limit: a number, or a duration such as 800ms.' : undefined;
}

interface PartProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  error: ApiError | undefined;
}

function OfIssues({ draft, set, error }: PartProps) {
  const [asked, setAsked] = useState(draft.filter ?? '');
  const found = useLoad(
    `${draft.project} ${asked}`,
    `${draft.project} ${asked}`,
    (abort) => {
      const query = `${EVERYTHING} ${asked}`.trim();
      const within = draft.project ? addTerm(query, term('project', draft.project)) : query;
      const to = serverNow();
      return runQuery<{ n: number }>(`${within} | stats count() as n`, { from: to - 14 * 86_400_000, to }, 1, abort);
    },
    true,
  );
  const toggle = (kind: Kind) =>
    set({
      when: draft.when.some((one) => one.kind === kind)
        ? draft.when.filter((one) => one.kind !== kind)
        : [...draft.when, kind === 'events' || kind === 'users' ? { kind, n: kind === 'events' ? 100 : 10, window_s: 3600 } : { kind }],
    });
  const change = (kind: Kind, part: Partial<When>) =>
    set({ when: draft.when.map((one) => (one.kind === kind ? { ...one, ...part } : one)) });
  const text = `${EVERYTHING} ${draft.filter ?? ''}`.trimEnd();
  const ofFilter = (query: string) => query.replace(/^\s*issues\b\s*/, '');
  // The server counts columns in the filter alone.
  const saved = error && shifted(error, EVERYTHING.length + 1);
  const wrong = saved ?? (asked === (draft.filter ?? '') ? found.error.value : undefined);
  const n = found.data.value?.rows[0]?.n ?? 0;
  return (
    <>
      <section>
        <h2 class="m">When an issue</h2>
        <ul class="kinds">
          {KINDS.map((kind) => {
            const on = draft.when.find((one) => one.kind === kind);
            const [label, says] = KIND_LABELS[kind];
            return (
              <li key={kind}>
                <label class="row">
                  <input type="checkbox" checked={on !== undefined} onChange={() => toggle(kind)} />
                  <span>{label}</span>
                  {says && <span class="sm d3">{says}</span>}
                </label>
                {on && (kind === 'events' || kind === 'users') && (
                  <span class="row much">
                    <input
                      class="text num"
                      type="number"
                      min={1}
                      aria-label={`How many ${kind}`}
                      value={on.n}
                      onInput={(event) => change(kind, { n: Math.round(Number(event.currentTarget.value)) })}
                    />
                    <span class="d2">{kind} in</span>
                    <Select
                      label={`Window of ${kind}`}
                      options={WINDOWS}
                      value={on.window_s ?? 3600}
                      set={(window_s) => change(kind, { window_s })}
                    />
                  </span>
                )}
              </li>
            );
          })}
        </ul>
      </section>
      <section>
        <h2 class="m">Which issues</h2>
        <QueryBar
          value={text}
          run={(query) => {
            const filter = ofFilter(query);
            set({ filter });
            setAsked(filter);
          }}
          write={(query) => set({ filter: ofFilter(query) })}
          error={wrong}
          busy={found.busy.value && found.stale.value}
          label="Filter of issues"
          found={found.data.value && !found.error.value && asked === (draft.filter ?? '') ? plural(n, 'issue') : undefined}
          unscoped
        />
        {wrong ? (
          <QueryError error={wrong} query={text} fix={(query) => set({ filter: ofFilter(query) })} />
        ) : (
          <p class="sm d3">
            {draft.filter
              ? 'Enter counts what it finds in the last 14 days.'
              : 'All of them. Narrow it with fields, such as level=fatal, handled=false or priority=high.'}
          </p>
        )}
      </section>
    </>
  );
}

function shifted(error: ApiError, by: number): ApiError {
  return new ApiError(error.status, {
    code: error.code,
    message: error.message,
    suggest: error.suggest,
    ...(error.hint && { hint: error.hint }),
    ...(error.column !== undefined && { column: error.column + by }),
    ...(error.length !== undefined && { length: error.length }),
  });
}

function OfQuery({ draft, set, error, rule }: PartProps & { rule: RuleInput }) {
  const [asked, setAsked] = useState({ query: draft.query ?? '', turn: 0 });
  const query = draft.query ?? '';
  const window_s = draft.window_s ?? 300;
  const checked = useLoad(
    asked.query,
    `${asked.query} ${asked.turn}`,
    async (abort) => {
      if (!asked.query.trim()) return undefined;
      const to = serverNow();
      return runQuery<Record<string, unknown>>(asked.query, { from: to - window_s * 1000, to }, 100, abort);
    },
    true,
  );
  const wrong = error ?? (asked.query === query ? checked.error.value : undefined);
  const rows = checked.data.value?.rows;
  return (
    <>
      <section>
        <h2 class="m">When the value of</h2>
        <QueryBar
          value={query}
          run={(text) => {
            set({ query: text });
            setAsked({ query: text, turn: asked.turn + 1 });
          }}
          write={(text) => set({ query: text })}
          error={wrong}
          busy={checked.busy.value}
          label="Query"
          found={rows && !checked.error.value && asked.query === query ? plural(rows.length, 'row') : undefined}
          unscoped
        />
        {wrong ? (
          <QueryError error={wrong} query={query} fix={(text) => set({ query: text })} />
        ) : (
          <p class="sm d3">
            The last number of each row counts, the other columns tell rows apart:{' '}
            <code>spans status=error | stats count() by service</code>
          </p>
        )}
      </section>
      <section>
        <div class="row wrap">
          <label class="field">
            <span class="sm d3">is</span>
            <select class="text" value={draft.op ?? '>'} onChange={(event) => set({ op: event.currentTarget.value as Op })}>
              {OPS.map((op) => (
                <option key={op} value={op}>
                  {OP_WORDS[op]}
                </option>
              ))}
            </select>
          </label>
          <label class="field">
            <span class="sm d3">Limit</span>
            <input
              class="text num"
              placeholder="20"
              value={draft.threshold}
              autocomplete="off"
              inputMode="decimal"
              onInput={(event) => set({ threshold: event.currentTarget.value })}
            />
          </label>
          <Choice label="over" options={WINDOWS} value={window_s} set={(next) => set({ window_s: next })} />
        </div>
        <ValueChart
          query={asked.query}
          turn={asked.turn}
          window_s={window_s}
          op={draft.op ?? '>'}
          threshold={rule.threshold}
          project={draft.project}
        />
        <label class="row">
          <input type="checkbox" checked={draft.recovery ?? true} onChange={(event) => set({ recovery: event.currentTarget.checked })} />
          <span>Tell when it is over, too</span>
        </label>
      </section>
    </>
  );
}

function Tell({ all, draft, set }: Omit<PartProps, 'error'> & { all: Alerts }) {
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<{ name: string; text: string } | undefined>();
  const toggle = (id: number) =>
    set({ channels: draft.channels.includes(id) ? draft.channels.filter((one) => one !== id) : [...draft.channels, id] });
  return (
    <section>
      <h2 class="m">Tell</h2>
      {all.channels.length > 0 && (
        <ul class="tell">
          {all.channels.map((channel) => (
            <li key={channel.id}>
              <label class="row">
                <input type="checkbox" checked={draft.channels.includes(channel.id)} onChange={() => toggle(channel.id)} />
                <Icon icon={CHANNEL_ICONS[channel.type]} size={14} />
                <span class="cut">{channel.name}</span>
                <span class="sm d3 mono cut">{channel.target}</span>
                {channel.trouble && <span class="pill w">trouble</span>}
              </label>
            </li>
          ))}
        </ul>
      )}
      {secret && (
        <Once name={`secret of ${secret.name}`} text={secret.text}>
          With this secret {secret.name} checks that messages are Clew's. It is shown this once.
        </Once>
      )}
      {adding ? (
        <div class="inchannel">
          <ChannelForm
            mail={all.mail}
            close={() => setAdding(false)}
            done={(made, text) => {
              setAdding(false);
              setSecret(text ? { name: made.name, text } : undefined);
              set({ channels: [...draft.channels, made.id] });
              refresh();
            }}
          />
        </div>
      ) : (
        <p class="row">
          <button type="button" class="btn s" onClick={() => setAdding(true)}>
            Add a channel
          </button>
          {all.channels.length === 0 && <span class="sm d3">Without one, what fires is only listed.</span>}
        </p>
      )}
    </section>
  );
}

interface SelectProps {
  label: string;
  options: readonly number[];
  value: number;
  set: (value: number) => void;
  /** What 0 is called. */
  none?: string;
}

function Select({ label, options, value, set, none = 'at once' }: SelectProps) {
  const all = options.includes(value) ? options : [...options, value].sort((a, b) => a - b);
  return (
    <select class="text" aria-label={label} value={String(value)} onChange={(event) => set(Number(event.currentTarget.value))}>
      {all.map((seconds) => (
        <option key={seconds} value={String(seconds)}>
          {seconds === 0 ? none : span(seconds)}
        </option>
      ))}
    </select>
  );
}

function Choice(props: SelectProps) {
  return (
    <div class="field">
      <span class="sm d3" aria-hidden="true">
        {props.label}
      </span>
      <Select {...props} />
    </div>
  );
}
