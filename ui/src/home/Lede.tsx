// The answer first: what is the matter, since when, for whom, and what all of it has in common.
import { ChartNoAxesGantt, Scale } from 'lucide';
import type { ComponentChildren } from 'preact';
import { serverNow } from '../api/client.ts';
import type { Loaded } from '../api/load.ts';
import type { Finding, Overview } from '../api/overview.ts';
import { count, percent, plural } from '../format/number.ts';
import { absolute, parseInstant } from '../format/time.ts';
import { valueText } from '../parts/Attributes.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { addTerm, term } from '../query/write.ts';
import { range } from '../state/live.ts';
import { rangeLabel } from '../state/range.ts';
import { href, param, setParams } from '../state/route.ts';
import { kept, scope } from '../state/scope.ts';
import type { Details, Difference } from './load.ts';
import { calmFacts, conclusion, leadFact, type Piece, type Troubles } from './words.ts';

const MOODS = { e: 'dot e', w: 'dot w', k: 'dot k', none: 'dot' };

function rangeWords(): string {
  const label = rangeLabel(param('from'), param('to'));
  const { project, environment } = scope.value;
  const of = [project, environment].filter(Boolean).join(', ');
  return `${range.value.relative ? `in the ${label.toLowerCase()}` : `from ${label}`}${of ? ` from ${of}` : ''}`;
}

function Said({ piece }: { piece: Piece }) {
  if (piece.to) {
    return (
      <Link class="plain" href={href(piece.to, kept.value)}>
        <b>{piece.text}</b>
      </Link>
    );
  }
  return piece.strong ? <b>{piece.text}</b> : <span>{piece.text}</span>;
}

interface LedeProps {
  overview: Overview;
  details: Loaded<Details | undefined>;
  troubles: Troubles | undefined;
}

export function Lede({ overview, details, troubles }: LedeProps) {
  const { finding } = overview;
  const { mood, pieces } = conclusion(overview, serverNow(), rangeWords(), troubles);
  const since = finding.since ? absolute(parseInstant(finding.since).ms) : undefined;
  const bad = finding.state === 'failing' || finding.state === 'slow';
  return (
    <section class="lede" aria-label="Conclusion">
      <div class="grow">
        <h1 title={since}>
          <span class={MOODS[mood]} />
          <span>
            {pieces.map((piece, index) => (
              <Said key={index} piece={piece} />
            ))}
          </span>
        </h1>
        {bad ? <BadFacts finding={finding} details={details} /> : mood !== 'none' && <CalmFacts overview={overview} />}
      </div>
      {bad && finding.query && <Actions finding={finding} differ={details.data.value?.differ} />}
    </section>
  );
}

export function LedeSkeleton() {
  return (
    <section class="lede" aria-hidden="true">
      <div class="grow">
        <h1>
          <span class="dot" />
          <span class="skel title" />
        </h1>
        <p class="d2 facts">
          <span class="skel line" />
        </p>
      </div>
    </section>
  );
}

function tracesHref(query: string): string {
  return href('/traces', { ...kept.value, q: query });
}

function Fact({ to, children }: { to: string; children: ComponentChildren }) {
  return (
    <Link class="plain num" href={to}>
      {children}
    </Link>
  );
}

function BadFacts({ finding, details }: { finding: Finding; details: Loaded<Details | undefined> }) {
  const lead = leadFact(finding);
  const query = finding.query ?? 'spans status=error';
  const more = details.data.value;
  return (
    <p class="d2 facts bad">
      {lead && (
        <Fact to={tracesHref(query)}>
          <b class={finding.state === 'failing' ? 'err' : 'wrn'}>{lead.number}</b>
          {lead.words}
        </Fact>
      )}
      {finding.errors !== undefined && finding.state === 'failing' && (
        <Fact to={tracesHref(query)}>
          <b>{count(finding.errors)}</b> {finding.errors === 1 ? 'error' : 'errors'}
        </Fact>
      )}
      {more?.users !== undefined && more.users > 0 && (
        <Fact to={tracesHref(`${query} user:*`)}>
          <b>{count(more.users)}</b> {more.users === 1 ? 'user' : 'users'} affected
        </Fact>
      )}
      {more?.cause && (
        <Fact to={tracesHref(more.cause.query)}>
          {more.cause.share >= 0.995 ? 'all ' : `${percent(more.cause.share)} `}
          <code>{more.cause.type}</code>
        </Fact>
      )}
      {more?.common.map((row) => (
        <Fact key={row.field} to={tracesHref(addTerm(`${row.among} status=error`, term(row.field, row.value)))}>
          {row.in >= 0.995 ? 'all have ' : `${percent(row.in)} have `}
          <code>
            {row.field} = {valueText(row.value)}
          </code>
        </Fact>
      ))}
      {!more && details.busy.value && <span class="skel line" aria-hidden="true" />}
    </p>
  );
}

function CalmFacts({ overview }: { overview: Overview }) {
  const facts = calmFacts(overview);
  return (
    <p class="d2 facts">
      {facts.map((fact, index) => (
        <Fact key={fact} to={tracesHref(index === 1 ? 'spans status=error' : 'spans root=true')}>
          {fact}
        </Fact>
      ))}
      {overview.more && <span class="num d3">the list of services is not whole: {plural(overview.services.length, 'service')} shown</span>}
    </p>
  );
}

function Actions({ finding, differ }: { finding: Finding; differ: Difference[] | undefined }) {
  const query = finding.query ?? '';
  const open = param('differ') === '1';
  return (
    <div class="row acts">
      <button
        type="button"
        class="btn"
        aria-pressed={open}
        disabled={!differ || differ.length === 0}
        title={differ && differ.length === 0 ? 'Nothing sets them apart from the others' : undefined}
        onClick={() => setParams({ differ: open ? undefined : '1' }, { replace: true })}
      >
        <Icon icon={Scale} size={14} />
        What differs
      </button>
      <Link class="btn p" href={tracesHref(query)} follow>
        <Icon icon={ChartNoAxesGantt} size={14} />
        {finding.state === 'failing' ? 'Open failing traces' : 'Open slow traces'}
      </Link>
    </div>
  );
}
