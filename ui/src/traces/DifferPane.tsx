// What sets the selected traces apart: the conclusion in words, then the values that carry it, ranked.
import { X } from 'lucide';
import { runQuery } from '../api/client.ts';
import type { Loaded } from '../api/load.ts';
import { count, percent, plural } from '../format/number.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { Failure } from '../parts/States.tsx';
import { range } from '../state/live.ts';
import { followTo, setParams } from '../state/route.ts';
import { type Candidate, causeOf, type Differences, differQuery, narrowed, type Ranked, type Sides } from './differ.ts';

export type By = 'box' | 'errors' | 'slowest';

const WORDS: Record<By, string> = { box: 'In the box', errors: 'Failed', slowest: 'Slowest 1\u202f%' };

interface Props {
  by: By;
  hasBox: boolean;
  query: string;
  found: Loaded<Differences | undefined>;
}

export function DifferPane({ by, hasBox, query, found }: Props) {
  const data = found.data.value;
  const error = found.error.value;
  const choices: By[] = hasBox ? ['box', 'errors', 'slowest'] : ['errors', 'slowest'];
  return (
    <aside class="panel vl differs" aria-label="What differs">
      <div class="ph">
        <div class="row phead">
          <h2 class="grow">What differs</h2>
          <span class="seg s" role="group" aria-label="Which traces">
            {choices.map((one) => (
              <button type="button" key={one} aria-pressed={one === by} onClick={() => setParams({ differ: one }, { replace: true })}>
                {WORDS[one]}
              </button>
            ))}
          </span>
          <button type="button" class="btn g s i" aria-label="Close" title="Close (d)" onClick={() => setParams({ differ: undefined })}>
            <Icon icon={X} size={14} />
          </button>
        </div>
        <div class="verdict" aria-live="polite">
          {data ? <Conclusion of={data} /> : error ? null : <Waiting />}
        </div>
      </div>
      {error && !data ? (
        <Failure error={error} retry={found.retry} />
      ) : (
        <div class={`scroll grow ${found.stale.value ? 'stale' : ''}`} tabIndex={0} role="region" aria-label="Values, ranked">
          <div class="sec legend hl">
            <span class="row">
              <i class="in" /> {data ? `${count(data.selected)} selected` : 'selected'}
            </span>
            <span class="row">
              <i class="out" /> {data ? plural(data.others, 'other') : 'others'}
            </span>
            <span class="grow" />
            {data?.stats.compared && <span>{plural(data.stats.compared.fields, 'field')} ranked</span>}
          </div>
          {data ? (
            <>
              <ol>
                {data.rows.map((row) => (
                  <RankedRow key={`${row.field} ${row.term}`} row={row} of={data} query={query} />
                ))}
              </ol>
              <p class="leftout sm d2">
                {data.left.length > 0 && (
                  <>
                    <b>Left out:</b> {data.left.join('; ').replace(/\.$/, '')}.{' '}
                  </>
                )}
                Shares are of whole traces: an attribute counts when any span of the trace has it.
              </p>
            </>
          ) : (
            <RowsToCome />
          )}
        </div>
      )}
      <div class="row pfoot hl">
        <button type="button" class="btn grow" disabled={!data?.selected || !data.others} onClick={() => data && void compare(data.sides)}>
          Compare one of each
        </button>
        <CopyButton text={data ? differQuery(data.sides) : ''} label="Copy query" />
      </div>
    </aside>
  );
}

/** The newest of the selected beside the newest of the others. */
async function compare({ inside, outside }: Sides): Promise<void> {
  const newest = async (filter: string) =>
    (await runQuery<{ trace: string }>(`${filter} | select trace | limit 1`, range.value, 1)).rows[0]?.trace;
  const [a, b] = await Promise.all([newest(inside), newest(outside)]);
  if (a && b) followTo(`/compare?a=${a}&b=${b}`, 'Traces');
}

function Has({ row }: { row: Ranked }) {
  if (row.service && /^(version|release)$/.test(row.field))
    return (
      <b>
        {row.service} {valueText(row.value)}
      </b>
    );
  return <Named row={row} />;
}

function Named({ row }: { row: Candidate }) {
  return (
    <code class="wrap">
      {row.field} = <b>{valueText(row.value)}</b>
    </code>
  );
}

function Conclusion({ of }: { of: Differences }) {
  const { selected, others, rows, pair } = of;
  if (selected === 0) return <p>No trace in this range is among the selected.</p>;
  if (others === 0)
    return (
      <p>
        All {plural(selected, 'trace')} of this query are selected: there is nothing to compare with. A wider query or a smaller box has
        others.
      </p>
    );
  const all = selected === 1 ? 'The one selected' : `All ${count(selected)}`;
  if (pair) {
    const runs = /^(version|release)$/.test(pair[0].field) && pair[0].service;
    return (
      <p>
        {all} {runs ? 'ran' : selected === 1 ? 'has' : 'have'} <Has row={pair[0]} /> {runs ? 'with' : 'and'} <Has row={pair[1]} />. None of
        the others {runs ? 'did' : 'has'} both.
      </p>
    );
  }
  const best = causeOf(rows);
  if (!best) return <p>Nothing sets the {count(selected)} apart: no value is more frequent among them than chance explains.</p>;
  if (best.in === selected && best.out === 0)
    return (
      <p>
        {all} {selected === 1 ? 'has' : 'have'} <Has row={best} />. None of the others has.
      </p>
    );
  return (
    <p>
      <Has row={best} /> is in {percent(best.in / selected)} of the selected and in {percent(best.out / Math.max(1, others))} of the others.
    </p>
  );
}

function RankedRow({ row, of, query }: { row: Ranked; of: Differences; query: string }) {
  const a = row.in / Math.max(1, of.selected);
  const b = row.out / Math.max(1, of.others);
  const add = (not: boolean) => setParams({ q: narrowed(query, row, not), box: undefined, differ: undefined });
  return (
    <li class="rk">
      <div class="row">
        <span class="mono cut grow" title={`${row.field} = ${valueText(row.value)}`}>
          {row.service && <span class="d3">{row.service} </span>}
          {row.field} <span class="d3">=</span> <b>{valueText(row.value)}</b>
        </span>
        <span class="acts sm">
          <button
            type="button"
            class="link"
            onClick={() => add(false)}
            aria-label={`Only traces with ${row.field} = ${valueText(row.value)}`}
          >
            only
          </button>
          <button
            type="button"
            class="link"
            onClick={() => add(true)}
            aria-label={`Only traces without ${row.field} = ${valueText(row.value)}`}
          >
            not
          </button>
        </span>
      </div>
      <Bar share={a} tone="in" title={`${plural(row.in, 'trace')} of ${count(of.selected)} selected`} />
      <Bar share={b} tone="out" title={`${plural(row.out, 'trace')} of ${plural(of.others, 'other')}`} />
    </li>
  );
}

function Bar({ share, tone, title }: { share: number; tone: 'in' | 'out'; title: string }) {
  return (
    <span class={`rbar ${tone}`} title={title}>
      <span>
        <i style={{ width: `${Math.max(0.5, share * 100)}%` }} />
      </span>
      <span>{percent(share)}</span>
    </span>
  );
}

function Waiting() {
  return (
    <p aria-busy="true">
      <span class="only-read">Comparing</span>
      <span class="skel" style={{ width: '92%' }} />
      <span class="skel" style={{ width: '60%' }} />
    </p>
  );
}

function RowsToCome() {
  return (
    <ol aria-hidden="true">
      {Array.from({ length: 6 }, (_, i) => (
        <li class="rk" key={i}>
          <span class="skel" style={{ width: '50%' }} />
          <span class="skel" style={{ width: '80%' }} />
          <span class="skel" style={{ width: '20%' }} />
        </li>
      ))}
    </ol>
  );
}
