import { ArrowLeftRight, Users } from 'lucide';
import { useMemo } from 'preact/hooks';
import { serverNow } from '../api/client.ts';
import { duration, plural } from '../format/number.ts';
import { absolute, ago, clock, parseInstant } from '../format/time.ts';
import { Foot } from '../parts/Foot.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link, trailFromHere } from '../parts/Link.tsx';
import { CopyButton } from '../parts/Paste.tsx';
import { useKeys } from '../state/keys.ts';
import { go, href, param, place, setParams, withParams } from '../state/route.ts';
import { type ComparedRow, type ComparedTrace, type Comparison, differs, isMany, type Population } from './answer.ts';
import { CompareRows } from './CompareRows.tsx';
import { RowPanel } from './RowPanel.tsx';
import { conclude, difference, sampled } from './words.ts';

export function CompareView({ answer, stale }: { answer: Comparison; stale: boolean }) {
  const { a, b, population } = answer;
  const only = param('only') === 'different';
  const whole = Math.max(a.duration, a.duration - difference(answer));
  const rows = useMemo(() => (only ? kept(answer.rows, whole) : answer.rows.map((row, index) => ({ row, index }))), [answer, only, whole]);
  const chosen = numberOf(param('row'));
  const at = rows.findIndex((entry) => entry.index === chosen);
  const findings = conclude(answer);
  const choose = (index: number | undefined) => {
    setParams({ row: index === undefined ? undefined : String(index) }, { replace: true });
  };
  const step = (by: number) => choose(rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))]?.index);
  const toNext = (by: 1 | -1) => {
    for (let n = 1; n <= rows.length; n++) {
      const entry = rows[(at + by * n + rows.length * 2) % rows.length];
      if (entry && differs(entry.row, whole)) return choose(entry.index);
    }
  };
  const swap = () =>
    b && go(href('/compare', { a: b.trace, b: a.trace, only: param('only') }), { trail: place.value.trail, replace: true });
  const open = (which: 'a' | 'b') => {
    const row = answer.rows[chosen ?? 0];
    const trace = which === 'a' ? a : b;
    const cell = row?.[which];
    if (trace) go(spanHref(trace, cell && !isMany(cell) ? cell.span : undefined), { trail: trailFromHere() });
  };
  const setOnly = () => setParams({ only: only ? undefined : 'different' }, { replace: true });
  useKeys('Comparison', [
    { keys: ['ArrowDown', 'j'], does: 'next row', run: () => step(1) },
    { keys: ['ArrowUp', 'k'], does: 'previous row', run: () => step(-1) },
    { keys: ['n'], does: 'next difference', run: () => toNext(1) },
    { keys: ['N'], does: 'previous difference', run: () => toNext(-1) },
    { keys: ['d'], does: 'only what differs, or all', run: setOnly },
    { keys: ['Enter'], does: 'the row in this trace', run: () => open('a') },
    ...(b
      ? [
          { keys: ['Shift+Enter'], does: 'the row in the other trace', run: () => open('b') },
          { keys: ['x'], does: 'swap the sides', run: swap },
        ]
      : []),
    { keys: ['Escape'], does: 'close the panel', run: () => choose(undefined) },
  ]);
  const row = chosen === undefined ? undefined : answer.rows[chosen];
  return (
    <>
      <div class="bar hd">
        <h1 class="cut" title={a.name}>
          {a.name ?? 'A trace'}
        </h1>
        <span class="d2 cut about">{population ? 'beside others of its kind' : 'two traces, side by side'}</span>
        {answer.cut && <span class="pill w">cut: the first {answer.rows.length} rows</span>}
        <span class="grow" />
        <button type="button" class="btn s" aria-pressed={only} onClick={setOnly}>
          Only what differs <kbd class="kbd wide">d</kbd>
        </button>
        {b && (
          <>
            <button type="button" class="btn s wide" onClick={swap}>
              <Icon icon={ArrowLeftRight} size={14} />
              Swap <kbd class="kbd">x</kbd>
            </button>
            <Link class="btn s wide" href={href('/compare', { a: a.trace, with: 'population' })}>
              <Icon icon={Users} size={14} />
              With others of its kind
            </Link>
          </>
        )}
      </div>
      <section class="cmp-say" aria-label="Conclusion">
        {findings.length > 0 ? (
          <p>
            {findings.map((finding, index) => (
              <span key={finding.text}>
                <Link class={index === 0 ? 'lead' : 'plain'} href={withParams({ row: finding.row?.toString() })}>
                  {finding.text}
                </Link>
                {index < findings.length - 1 ? '; ' : '.'}
              </span>
            ))}
          </p>
        ) : (
          <p>
            No other trace of this root is stored in the range. <WiderLinks a={a} />
          </p>
        )}
      </section>
      <div class="cmp-sides">
        <Side letter="A" trace={a} />
        {b ? <Side letter="B" trace={b} /> : population && <Others a={a} population={population} said={sampled(answer)} />}
      </div>
      <div class={`cols ${row ? 'with-panel' : ''} ${stale ? 'stale' : ''}`}>
        <CompareRows answer={answer} rows={rows} selected={at} choose={choose} />
        {row && <RowPanel key={chosen} row={row} answer={answer} close={() => choose(undefined)} />}
      </div>
      <div class="only-read" role="status">
        {only ? `${plural(rows.length, 'row')} differ` : ''}
      </div>
      <Foot
        keys={[
          ['ArrowUp ArrowDown', 'row'],
          ['n', 'next difference'],
          ['d', only ? 'all rows' : 'only what differs'],
          ['Enter', 'in the trace'],
        ]}
      >
        <span class="cost wide">Difference = time on the critical path, so that all rows add up to it</span>
        <CopyButton text={`curl -H "Authorization: Bearer $CLEW_TOKEN" '${location.origin}${apiHref(answer)}'`} label="Copy as a command" />
      </Foot>
    </>
  );
}

function apiHref({ a, b, population }: Comparison): string {
  return href(
    '/api/v1/compare',
    b ? { a: a.trace, b: b.trace } : { a: a.trace, with: 'population', from: population?.from, to: population?.to },
  );
}

const numberOf = (text: string | undefined) => (text && /^\d+$/.test(text) ? Number(text) : undefined);

export function spanHref(trace: ComparedTrace, span: string | undefined): string {
  return href(`/traces/${trace.trace}`, { span });
}

/** Rows that differ, and those above them. */
function kept(rows: ComparedRow[], whole: number): { row: ComparedRow; index: number }[] {
  const out: { row: ComparedRow; index: number }[] = [];
  let needed = -1;
  for (let index = rows.length - 1; index >= 0; index--) {
    const row = rows[index] as ComparedRow;
    const above = row.depth < needed;
    if (!differs(row, whole) && !above) continue;
    out.push({ row, index });
    needed = row.depth;
  }
  return out.reverse();
}

function Side({ letter, trace }: { letter: 'A' | 'B'; trace: ComparedTrace }) {
  const { ms } = parseInstant(trace.time);
  return (
    <div class="cmp-side">
      <span class={`ab ${letter}`}>{letter}</span>
      <Link follow href={spanHref(trace, undefined)} class="mono">
        {trace.trace.slice(0, 8)}
      </Link>
      <b>{duration(trace.duration)}</b>
      <span class="d2 cut" title={`${absolute(ms)}, ${ago(ms, serverNow())}`}>
        {plural(trace.spans, 'span')}, {plural(trace.services, 'service')}, {clock(ms)}
      </span>
      {trace.errors > 0 && <span class="pill e">{plural(trace.errors, 'error')}</span>}
      {!trace.complete && (
        <span class="pill w" title="Some of its spans never came: rows may be missing for that reason alone">
          not complete
        </span>
      )}
      {trace.cut && <span class="pill w">cut</span>}
      {trace.hidden > 0 && <span class="pill">{plural(trace.hidden, 'span')} in projects you may not read</span>}
    </div>
  );
}

function Others({ a, population, said }: { a: ComparedTrace; population: Population; said: string }) {
  return (
    <div class="cmp-side">
      <span class="ab B">B</span>
      <b class="nw">
        {population.duration ? `p50 ${duration(population.duration.p50)}, p95 ${duration(population.duration.p95)}` : 'no others'}
      </b>
      <span class="d2 cut" title={`${said}, ${absolute(Date.parse(population.from))} to ${absolute(Date.parse(population.to))}`}>
        {said}
      </span>
      <WiderLinks a={a} />
    </div>
  );
}

const HOUR = 3_600_000;
const AROUND: [string, number][] = [
  ['an hour', HOUR],
  ['6 h', 6 * HOUR],
  ['a day', 24 * HOUR],
];

function WiderLinks({ a }: { a: ComparedTrace }) {
  const { ms } = parseInstant(a.time);
  const now = Number(param('to') ?? ms + HOUR) - ms;
  return (
    <span class="seg s" role="group" aria-label="Others within">
      {AROUND.map(([label, around]) => (
        <Link
          key={label}
          href={href('/compare', {
            a: a.trace,
            with: 'population',
            only: param('only'),
            ...(around !== HOUR && { from: String(ms - around), to: String(ms + around) }),
          })}
          aria-current={now === around ? 'page' : undefined}
          title={`Others up to ${label} before and after`}
        >
          ±{label}
        </Link>
      ))}
    </span>
  );
}
