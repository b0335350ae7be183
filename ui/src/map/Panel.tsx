// What is known of one service, or of one kind of call.
import { ChartNoAxesGantt, Logs, X } from 'lucide';
import type { ComponentChildren } from 'preact';
import { runQuery } from '../api/client.ts';
import { useLoad } from '../api/load.ts';
import type { Health, MapEdge, MapNode, ServiceMap } from '../api/overview.ts';
import { count, duration, percent, plural } from '../format/number.ts';
import { type RateUnit, rateNumber } from '../format/rate.ts';
import { Icon } from '../parts/Icon.tsx';
import { Link } from '../parts/Link.tsx';
import { SkeletonRows, useLate } from '../parts/States.tsx';
import { atLeast, entryQuery, logsQuery, requestsQuery } from '../query/services.ts';
import { addTerm, term } from '../query/write.ts';
import { range, rangeKey, rangeSubject } from '../state/live.ts';
import { href } from '../state/route.ts';
import { kept, scoped } from '../state/scope.ts';
import { hueOf } from '../state/services.ts';
import type { Choice } from './Picture.tsx';
import { BAD, callQuery, nests, operationsQuery, timeOf } from './words.ts';

interface Props {
  map: ServiceMap;
  unit: RateUnit;
  choose: (choice: Choice) => void;
}

export function tracesOf(query: string): string {
  return href('/traces', { ...kept.value, q: query });
}

export function ServiceName({ name, own }: { name: string; own: boolean }) {
  return (
    <span class={`svc h${hueOf(name)} ${own ? '' : 'ext'}`}>
      <span class="cut">{name}</span>
    </span>
  );
}

function Head({ children, close }: { children: ComponentChildren; close: () => void }) {
  return (
    <div class="row phead">
      <h2 class="grow row m">{children}</h2>
      <button type="button" class="btn g s i" aria-label="Close" title="Close (Esc)" onClick={close}>
        <Icon icon={X} size={14} />
      </button>
    </div>
  );
}

/** The four numbers, each a link to the spans behind it. `query` takes one more term. */
function Numbers({ of, unit, query }: { of: Health; unit: RateUnit; query: (more?: string) => string }) {
  const bad = (of.error_ratio ?? 0) >= BAD;
  const time = (ns: number | undefined) =>
    ns === undefined ? (
      <span class="d3">none</span>
    ) : (
      <Link class="plain" href={tracesOf(query(atLeast(ns)))}>
        {duration(ns)}
      </Link>
    );
  return (
    <dl class="st4">
      <div>
        <dt>Rate</dt>
        <dd>
          <Link class="plain" href={tracesOf(query())}>
            {rateNumber(of.rate ?? 0, unit)} {unit.label}
          </Link>
        </dd>
      </div>
      <div>
        <dt>Errors</dt>
        <dd>
          <Link class={`plain ${bad ? 'err' : ''}`} href={tracesOf(query('status=error'))}>
            {percent(of.error_ratio ?? 0)}
          </Link>
        </dd>
      </div>
      <div>
        <dt>p50</dt>
        <dd>{time(of.p50)}</dd>
      </div>
      <div>
        <dt>p95</dt>
        <dd>{time(of.p95)}</dd>
      </div>
    </dl>
  );
}

function TracesButton({ query, children }: { query: string; children: ComponentChildren }) {
  return (
    <Link class="btn s" href={tracesOf(query)} follow>
      <Icon icon={ChartNoAxesGantt} size={14} />
      {children}
    </Link>
  );
}

export function NodePanel({ map, unit, choose, node }: Props & { node: MapNode }) {
  const own = node.kind === 'service';
  const query = (more?: string) => (more ? addTerm(requestsQuery(node.service, node.kind), more) : requestsQuery(node.service, node.kind));
  return (
    <>
      <div class="ph">
        <Head close={() => choose(undefined)}>
          <ServiceName name={node.service} own={own} />
          {!own && <span class="sm d3 cut">{node.kind === 'external' ? 'sends nothing itself' : `${node.kind}, seen by its callers`}</span>}
        </Head>
        <Numbers of={node} unit={unit} query={query} />
        <div class="row pacts">
          <TracesButton query={query()}>{plural(node.requests, 'request')}</TracesButton>
          {node.errors > 0 && <TracesButton query={query('status=error')}>{plural(node.errors, 'error')}</TracesButton>}
          {own && (
            <Link class="btn s" href={href('/logs', { ...kept.value, q: logsQuery(node.service) })} follow>
              <Icon icon={Logs} size={14} />
              Logs
            </Link>
          )}
        </div>
      </div>
      <div class="scroll grow">
        {own && <Operations service={node.service} unit={unit} />}
        <Calls
          title="Called by"
          edges={map.edges.filter((edge) => edge.to === node.service)}
          other={(edge) => edge.from}
          map={map}
          unit={unit}
          choose={choose}
        />
        <Calls
          title="Calls"
          edges={map.edges.filter((edge) => edge.from === node.service)}
          other={(edge) => edge.to}
          map={map}
          unit={unit}
          choose={choose}
        />
      </div>
    </>
  );
}

interface Operation {
  name: string;
  n: number;
  bad: number;
  p95: number;
}

const MOST_OPERATIONS = 12;

function Operations({ service, unit }: { service: string; unit: RateUnit }) {
  const loaded = useLoad(`${service} ${rangeSubject.value}`, `${service} ${rangeKey.value}`, async (abort) => {
    const { from, to } = range.value;
    const answer = await runQuery<Operation>(scoped(operationsQuery(service)), { from, to }, MOST_OPERATIONS, abort);
    return { rows: answer.rows, seconds: (to - from) / 1000 };
  });
  const { value: data } = loaded.data;
  const error = loaded.error.value;
  const late = useLate(!data && loaded.busy.value);
  return (
    <section class="hl" aria-label="Operations">
      <div class="sec">
        <h3 class="m">Operations</h3>
        <span class="grow">{data && data.rows.length === MOST_OPERATIONS ? `the busiest ${MOST_OPERATIONS}` : ''}</span>
      </div>
      {error && !data && (
        <p class="hint sm">
          <span class="err">{error.message}</span>{' '}
          <button type="button" class="link" onClick={loaded.retry}>
            Retry
          </button>
        </p>
      )}
      {!data && !error && late && <SkeletonRows rows={4} height="28px" widths={['150px', '40px', '40px']} />}
      {data && data.rows.length === 0 && <p class="hint sm d3">None in this range.</p>}
      {data && data.rows.length > 0 && (
        <table class="calls">
          <tbody>
            {data.rows.map((row) => {
              const query = addTerm(entryQuery(service), term('name', row.name));
              return (
                <tr key={row.name}>
                  <th scope="row" class="cut" title={row.name}>
                    <Link class="plain" href={tracesOf(query)}>
                      {row.name}
                    </Link>
                  </th>
                  <td class="r">
                    {rateNumber(row.n / data.seconds, unit)}
                    <span class="d3 u">{unit.label}</span>
                  </td>
                  <td class={`r ${row.bad / row.n >= BAD ? 'err' : 'd3'}`}>
                    <Link class="plain" href={tracesOf(addTerm(query, 'status=error'))}>
                      {percent(row.bad / row.n)}
                    </Link>
                  </td>
                  <td class="r">{duration(row.p95)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface CallsProps extends Props {
  title: string;
  edges: readonly MapEdge[];
  other: (edge: MapEdge) => string;
}

function Calls({ title, edges, other, map, unit, choose }: CallsProps) {
  if (edges.length === 0) return null;
  const kinds = new Map(map.nodes.map((node) => [node.service, node.kind]));
  return (
    <section class="hl" aria-label={title}>
      <div class="sec">
        <h3 class="m">{title}</h3>
        <span class="grow">{count(edges.length)}</span>
      </div>
      <table class="calls">
        <tbody>
          {[...edges]
            .sort((a, b) => b.requests - a.requests)
            .map((edge) => (
              <tr key={other(edge)}>
                <th scope="row" class="cut">
                  <button type="button" class="plain" title="This call alone" onClick={() => choose({ from: edge.from, to: edge.to })}>
                    <ServiceName name={other(edge)} own={kinds.get(other(edge)) === 'service'} />
                  </button>
                </th>
                <td class="r">
                  {rateNumber(edge.rate ?? 0, unit)}
                  <span class="d3 u">{unit.label}</span>
                </td>
                <td class={`r ${(edge.error_ratio ?? 0) >= BAD ? 'err' : 'd3'}`}>{percent(edge.error_ratio ?? 0)}</td>
                <td class="r">{timeOf(edge.p95)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </section>
  );
}

export function EdgePanel({ map, unit, choose, edge }: Props & { edge: MapEdge }) {
  const calleeSends = map.nodes.find((node) => node.service === edge.to)?.kind === 'service';
  const query = (more?: string) => callQuery(edge, calleeSends, more);
  return (
    <>
      <div class="ph">
        <Head close={() => choose(undefined)}>
          <ServiceName name={edge.from} own />
          <span class="d3">to</span>
          <ServiceName name={edge.to} own={calleeSends} />
        </Head>
        <Numbers of={edge} unit={unit} query={query} />
        <div class="row pacts">
          <TracesButton query={query()}>{plural(edge.requests, 'call')}</TracesButton>
          {edge.errors > 0 && <TracesButton query={query('status=error')}>{plural(edge.errors, 'error')}</TracesButton>}
        </div>
      </div>
      <section class="hl" aria-label="Both ends">
        <p class="hint sm d3">
          {calleeSends
            ? 'Measured at the callee: the way there and back is not part of it.'
            : 'Measured at the caller: the callee sends no spans itself.'}
          {calleeSends && !nests.value && ` The links lead to all that ${edge.to} answered, whoever called.`}
        </p>
        <p class="row hint">
          {[edge.from, edge.to].map((name) => (
            <button type="button" class="btn s" key={name} onClick={() => choose({ node: name })}>
              All of {name}
            </button>
          ))}
        </p>
      </section>
    </>
  );
}
